#!/bin/sh

# Copyright (C) the nginx-ux authors
#
# assets.sh OUT [plain]: the page's own files as a C source.
#
# Each is gzip'ed unless "plain" asks for them as they are, and has a name
# with a hash of its contents in it, so that it may be cached for ever.
# UX_LIBRARIES is the folder `make libraries` fills; where it has none the
# page does without charts, and replaces what it morphs else.
set -eu

out=$1
plain=${2:-}
web=$(cd "$(dirname "$0")/../src/web" && pwd)
libraries=${UX_LIBRARIES:-$web/../../build/libraries}
work=$out.work

# Those that are there, notices and all, before our own.
libraries()
{
    for file in "$@"; do
        if [ -s "$libraries/$file" ]; then
            cat "$libraries/$file"
            echo
        fi
    done
}

sha256()
{
    if command -v sha256sum >/dev/null; then
        sha256sum <"$1"
    elif command -v shasum >/dev/null; then
        shasum -a 256 <"$1"
    else
        openssl dgst -sha256 -r <"$1"
    fi | cut -c 1-16
}

# STEM SUFFIX TYPE: an entry of the table, of the file $work.
asset()
{
    hash=$(sha256 "$work")
    length=$(($(wc -c <"$work")))

    if [ -z "$plain" ]; then
        gzip -9 -n <"$work" >"$work.gz"
        mv "$work.gz" "$work"
    fi

    echo
    echo "static u_char  ngx_http_ux_asset_$1_$2[] = {"
    od -A n -v -t x1 "$work" | sed 's/ *\([0-9a-f][0-9a-f]\)/0x\1,/g'
    echo '};'

    table="$table
    { ngx_string(\"$1.$hash.$2\"),
      ngx_string(\"$3\"),
      ngx_string(\"\\\"$hash\\\"\"),
      ngx_string(\"\\\"$hash-gzip\\\"\"),
      { sizeof(ngx_http_ux_asset_$1_$2), ngx_http_ux_asset_$1_$2 },
      $length },
"
}

{
    table=

    echo '/* Made by assets.sh: the files of the page. */'
    echo
    echo '#include "ngx_http_ux_asset.h"'

    { libraries uplot.css; cat "$web/page.css" "$web/figures.css"; } \
        >"$work"
    asset page css text/css

    { libraries uplot.js idiomorph.js; cat "$web/chart.js" "$web/page.js"
    } >"$work"
    asset page js text/javascript

    cat "$web/icon.svg" >"$work"
    asset icon svg image/svg+xml

    echo
    echo
    echo 'ngx_http_ux_asset_t  ngx_http_ux_assets[] = {'
    echo "$table"
    echo '    { ngx_null_string, ngx_null_string, ngx_null_string,'
    echo '      ngx_null_string, ngx_null_string, 0 }'
    echo '};'
    echo
    echo "ngx_uint_t  ngx_http_ux_assets_packed = $([ -n "$plain" ] \
        && echo 0 || echo 1);"
} >"$out.new"

rm -f "$work"
mv "$out.new" "$out"
