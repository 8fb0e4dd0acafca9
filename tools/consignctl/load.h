/*
 * load: `consignctl load`, the operator's way to fill a dataset from files of this machine. Caller: operator_commands.
 */
#ifndef CONSIGN_TOOLS_LOAD_H
#define CONSIGN_TOOLS_LOAD_H

#include "consignctl/ctl.h"

/* Loads the files and waits. 0: all there, every record taken; 3: all there, but some records were refused; 1: a
 * batch failed. Run again after an interrupt, it goes on where it was. */
int ctl_load(const char *word, const struct ctl_options *options);

#endif
