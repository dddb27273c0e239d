/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Does a rotation survive loss of power at any write, also in the run that finishes it (P7, CH-2)?
 *
 * Usage: rotation HISTORY [volumes]: how many rotations lie behind the backup, 0 or an odd number;
 * and whether it has three volumes.
 */

#include <stdio.h>
#include <stdlib.h>

#include "hunt.h"
#include "subject.h"

int main(int argc, char **argv)
{
    static const effort thorough = {{12, 256}, {6, 8}, {6, 16}, 16, 16},
                        brief = {{10, 128}, {6, 4}, {6, 8}, 32, 32};
    char what[80];
    scenario c;
    subject s;
    tally t;

    if (argc < 2)
        return 2;
    subject_make(&s, (size_t)atoi(argv[1]), argc > 2);
    snprintf(what, sizeof(what), "a rotation after %s others%s", argv[1],
             argc > 2 ? ", of three volumes" : "");
    c = subject_scenario(&s);
    t = hunt(&c, atoi(argv[1]) == 0 ? &thorough : hunt_effort(&brief, &thorough));
    hunt_tell(what, &t, false);
    hunt_say(t.images >= 10000, "at least 10,000 images were judged");
    subject_remove(&s);
    return hunt_end();
}
