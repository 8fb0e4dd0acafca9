/*
 * priv: becoming somebody who may do less.
 */
#ifndef CONSIGN_LIB_PRIV_H
#define CONSIGN_LIB_PRIV_H

#include "lib/fault.h"

/* Started as root: becomes `user` with its own groups and nothing else, and makes sure that there is no way
 * back. Started as anybody else: stays. In both cases the process has no capability, no program run from
 * here gains privileges, and it cannot dump core or be traced (it holds keys and tenants' data).
 * FAULT_INTERNAL, with a line in the log, when it cannot; the caller must not go on. */
enum fault priv_drop(const char *user) MUST_CHECK;

/* Overwrites and forgets the environment: what the settings do not say must not come from there, and what
 * somebody put there (a password) must not be read from /proc. Pointers from getenv() are void after it. A sanitizer
 * build keeps the options of its sanitizers, which the next program of a reload reads again. */
void priv_clear_environment(void);

/* After priv_drop(): a line in the log when this user can't read the settings file, because a reload then can't
 * either. */
void priv_warn_unreadable(const char *path);

#endif
