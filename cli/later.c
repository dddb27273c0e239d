/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A list whose elements are complete before they are in it, and are said before they are out of it:
 * so a signal finds all that was added, at whatever moment it comes.  The handler runs in the
 * thread that uses the list, since all others block signals.
 */

#include "later.h"

#include "say.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

typedef struct waiting {
    struct waiting *_Atomic next;
    char sentence[];
} waiting;

static waiting *_Atomic first;
static waiting *last; /* only add and say look at it */

bool cli_later_add(const char *sentence)
{
    size_t len = strlen(sentence);
    waiting *w = malloc(sizeof *w + len + 1);
    if (w == NULL)
        return false;
    atomic_init(&w->next, NULL);
    memcpy(w->sentence, sentence, len + 1);
    atomic_store(last == NULL ? &first : &last->next, w);
    last = w;
    return true;
}

void cli_later_say(void)
{
    waiting *w = NULL;
    last = NULL;
    while ((w = atomic_load(&first)) != NULL) {
        cli_say(w->sentence);
        atomic_store(&first, atomic_load(&w->next));
        free(w);
    }
}

void cli_later_interrupted(void)
{
    for (waiting *w = atomic_load(&first); w != NULL; w = atomic_load(&w->next))
        cli_say_interrupted(w->sentence);
}
