/* Settings of macOS universal builds: nothing to adjust on other systems. */
#ifndef Py_PYMACCONFIG_H
#define Py_PYMACCONFIG_H

#endif
