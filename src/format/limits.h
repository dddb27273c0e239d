/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COF_FORMAT_LIMITS_H
#define COF_FORMAT_LIMITS_H

/* The bounds of FORMAT.md section 1, and the object identifiers of section 4.1. */

#include <stdint.h>

#define COF_BLOCK_SIZE          UINT32_C(4096)
#define COF_RECORD_SIZE_MIN     UINT32_C(4096)
#define COF_RECORD_SIZE_MAX     UINT32_C(16777216)
#define COF_RECORD_SIZE_DEFAULT UINT32_C(4194304)
#define COF_RECORDS_MAX         (UINT64_C(1) << 48) /* record numbers are below */
#define COF_STREAM_END_MAX      (UINT64_C(1) << 63) /* stream offset plus length is below */
#define COF_RECIPIENTS_MAX      256
#define COF_SLOT_SIZE_MIN       UINT64_C(16384)
#define COF_SLOT_SIZE_MAX       UINT64_C(16777216)
#define COF_KEYS_ITEM_MAX       UINT32_C(262144)
#define COF_STATEMENT_MAX       UINT32_C(1048576) /* one CMS message, and the JSON inside it */
#define COF_CERTIFICATE_MAX     UINT32_C(65536)
#define COF_HISTORY_MAX         4096
#define COF_SIGNERS_MAX         64
#define COF_CUSTODY_SIGNERS_MAX 8
#define COF_VOLUMES_MAX         UINT32_C(65535)
#define COF_TAIL_MAX            UINT32_C(67108864)
#define COF_STREAM_NAME_MAX     1024           /* bytes of the name of a stream */
#define COF_INDEX_RECORDS       UINT32_C(4096) /* an INDEX crosses no multiple of this */
#define COF_JSON_DEPTH_MAX      8
#define COF_JSON_INTEGER_MAX    ((UINT64_C(1) << 53) - 1)
#define COF_STATEMENT_TEXT_MAX  1024 /* bytes of a subject or reason */

#define COF_OID_CUSTODY  "2.25.54037454755169100369202756945757762599.1.1"
#define COF_OID_MANIFEST "2.25.54037454755169100369202756945757762599.1.2"

#define COF_TYPE_CUSTODY  "coffer.custody.v1"
#define COF_TYPE_MANIFEST "coffer.manifest.v1"

#endif
