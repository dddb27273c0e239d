/* SPDX-License-Identifier: Apache-2.0 */

/* The order is that of the bytes with '/' below all others. */

#include "base/treepath.h"

#include <string.h>

#include "base/num.h"

static bool is_top(cof_slice path)
{
    return path.len == 1 && path.data[0] == '.';
}

int cof_treepath_compare(cof_slice a, cof_slice b)
{
    size_t i = cof_treepath_shared(a, b);

    if (i == a.len && i == b.len)
        return 0;
    if (is_top(a) || is_top(b))
        return is_top(a) ? -1 : 1;
    if (i == a.len || i == b.len)
        return a.len < b.len ? -1 : 1;
    if (a.data[i] == '/' || b.data[i] == '/')
        return a.data[i] == '/' ? -1 : 1;
    return a.data[i] < b.data[i] ? -1 : 1;
}

static bool component_valid(const uint8_t *name, size_t len)
{
    if (len == 0 || memchr(name, 0, len) != NULL)
        return false;
    return !(name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')));
}

bool cof_treepath_valid(cof_slice path)
{
    size_t from = 0;

    if (path.len == 0 || path.len > COF_TREEPATH_MAX)
        return false;
    if (is_top(path))
        return true;
    for (size_t i = 0; i <= path.len; i++) {
        if (i < path.len && path.data[i] != '/')
            continue;
        if (!component_valid(path.data + from, i - from))
            return false;
        from = i + 1;
    }
    return true;
}

bool cof_treepath_below(cof_slice path, cof_slice dir)
{
    if (is_top(dir))
        return true;
    return path.len >= dir.len && cof_treepath_shared(path, dir) == dir.len &&
           (path.len == dir.len || path.data[dir.len] == '/');
}

size_t cof_treepath_shared(cof_slice a, cof_slice b)
{
    size_t n = cof_min_size(a.len, b.len);
    size_t i = 0;

    while (i < n && a.data[i] == b.data[i])
        i++;
    return i;
}
