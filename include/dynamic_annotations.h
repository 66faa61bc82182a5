/* Annotations for race detectors: the lock primitives need none. */
#ifndef Py_DYNAMIC_ANNOTATIONS_H
#define Py_DYNAMIC_ANNOTATIONS_H

#endif
