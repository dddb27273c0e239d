/* SPDX-License-Identifier: Apache-2.0 */

/* Interrupted: leave no half-made file, and die of the signal, so that the caller sees which. */

#include "signals.h"

#include "later.h"
#include "report.h"

#include <coffer/coffer.h>
#include <signal.h>
#include <stddef.h>

static void clean_up_and_die(int number)
{
    cof_cleanup_on_signal();
    cli_report_interrupted();
    cli_later_interrupted();
    (void)raise(number); /* pending until we return; SA_RESETHAND gave it its default effect */
}

void cli_signals_handle(void)
{
    static const int fatal[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = clean_up_and_die, .sa_flags = (int)SA_RESETHAND};
    sigfillset(&action.sa_mask);
    for (size_t i = 0; i < sizeof fatal / sizeof fatal[0]; i++) {
        struct sigaction old;
        if (sigaction(fatal[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            (void)sigaction(fatal[i], &action, NULL);
    }
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
}
