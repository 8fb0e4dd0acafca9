/*
 * invariant: conditions that hold unless the program itself is wrong.
 *
 * They stay on in production. A process that finds one broken cannot trust its memory, so it says
 * where and ends; its supervisor starts another.
 */
#ifndef CONSIGN_LIB_INVARIANT_H
#define CONSIGN_LIB_INVARIANT_H

#define INVARIANT(condition) ((condition) ? (void)0 : invariant_broken(#condition, __FILE__, __LINE__))

_Noreturn void invariant_broken(const char *condition, const char *file, int line);

#endif
