/* SPDX-License-Identifier: Apache-2.0 */

/* Help, made from the same tables that the command line is read with. */

#include "help.h"

#include <stdio.h>
#include <string.h>

#define WIDTH  80
#define COLUMN 28 /* where the explanations of options begin */

/* Print text from column `at` on, broken at spaces, every further line indented to `indent`. */
static void print_wrapped(const char *text, size_t at, size_t indent)
{
    while (*text != '\0') {
        size_t word = strcspn(text, " ");
        if (at > indent && at + 1 + word > WIDTH) {
            printf("\n%*s", (int)indent, "");
            at = indent;
        } else if (at > indent) {
            putchar(' ');
            at++;
        }
        printf("%.*s", (int)word, text);
        at += word;
        text += word;
        text += strspn(text, " ");
    }
    putchar('\n');
}

static void print_options(const cli_opt *table)
{
    for (; table->name != NULL; table++) {
        char left[WIDTH];
        char letter[8] = "    ";
        if (table->letter != '\0')
            snprintf(letter, sizeof letter, "-%c, ", table->letter);
        snprintf(left, sizeof left, "  %s--%s%s%s", letter, table->name,
                 table->arg != NULL ? " " : "", table->arg != NULL ? table->arg : "");
        size_t used = strlen(left);
        if (used + 2 > COLUMN)
            printf("%s\n%*s", left, COLUMN, "");
        else
            printf("%-*s", COLUMN, left);
        print_wrapped(table->help, COLUMN, COLUMN);
    }
}

/* Paragraphs are separated by newlines. */
static void print_text(const char *text)
{
    while (*text != '\0') {
        char paragraph[1024];
        size_t len = strcspn(text, "\n");
        snprintf(paragraph, sizeof paragraph, "%.*s", (int)len, text);
        putchar('\n');
        print_wrapped(paragraph, 0, 0);
        text += len;
        text += strspn(text, "\n");
    }
}

void cli_help_verb(const cli_verb *verb)
{
    char usage[256];
    int indent = snprintf(usage, sizeof usage, "Usage: coffer %s ", verb->name);
    fputs(usage, stdout);
    print_wrapped(verb->usage, (size_t)indent, (size_t)indent);
    putchar('\n');
    print_wrapped(verb->summary, 0, 0);
    if (verb->text != NULL)
        print_text(verb->text);
    printf("\nOptions:\n");
    print_options(verb->options);
    print_options(cli_common_options);
}

void cli_help(void)
{
    printf("Usage: coffer VERB [options] ...\n\n"
           "Encrypted, signed backups whose locks can be changed.\n\n");
    for (const cli_verb *const *verb = cli_verbs; *verb != NULL; verb++)
        printf("  %-9s %s\n", (*verb)->name, (*verb)->summary);
    printf("  %-9s %s\n", "help", "Explain a verb, as coffer VERB --help does");
    printf("\nExit status: 0 done, 1 failed for a reason not listed, 2 wrong usage,\n"
           "3 not authentic or not trusted, 4 no key here opens it, 5 no backup, damaged\n"
           "or unsupported, 6 input or output failed, 7 certificate or key refused,\n"
           "8 the source failed, 9 done with a warning that needs action, 10 policy not\n"
           "met, 11 busy, 128 + signal when interrupted.\n");
}
