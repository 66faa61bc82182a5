/* Separators of paths, and their greatest length. */
#ifndef Py_OSDEFS_H
#define Py_OSDEFS_H

#ifndef MAXPATHLEN
#  define MAXPATHLEN 4096
#endif
#define SEP L'/'
#define DELIM L':'

#endif
