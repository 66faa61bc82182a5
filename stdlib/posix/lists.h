/* Lists of names in constants.c that the functions look up, and numbers of our own. */
#ifndef KRAIT_STDLIB_POSIX_LISTS_H
#define KRAIT_STDLIB_POSIX_LISTS_H

#include "module.h"

extern const struct constant sysconf_list[], confstr_list[], pathconf_list[];
extern const size_t sysconf_count, confstr_count, pathconf_count;

/* The first item of a file action of posix_spawn(). */
enum { SPAWN_OPEN, SPAWN_CLOSE, SPAWN_DUP2, SPAWN_CLOSEFROM };

#endif
