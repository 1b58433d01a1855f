#!/bin/sh
# build.sh DIR: builds DIR/ngx_http_ux_module.so.
#
# With NGINX_SRC against that source tree, else against Debian's nginx-dev in
# NGINX_DEV, with the flags Debian built its nginx with, and optimized as a
# whole when it is linked, where CC and its linker can.  SANITIZE is compiler
# flags of the module instead.
set -eu

build=$1
top=$(pwd)
tree=$build/nginx
log=$top/$build/nginx.log
export UX_LIBRARIES="$top/$build/libraries"

rm -rf "$tree"
mkdir -p "$tree"

fail() {
    tail -n 40 "$log" >&2
    exit 1
}

if [ -n "${NGINX_SRC:-}" ]; then
    cp -a "$NGINX_SRC/." "$tree"
    cd "$tree"
    configure=./configure
    [ -x configure ] || configure=auto/configure
    $configure --with-compat --with-http_ssl_module --with-http_v2_module \
        --with-http_realip_module --with-http_auth_request_module \
        --with-debug --with-cc-opt="${SANITIZE:-}" \
        --with-ld-opt="${SANITIZE:-}" \
        --add-dynamic-module="$top" >"$log" 2>&1 || fail
else
    cp -a "$NGINX_DEV/." "$tree"
    cd "$tree"
    SANITIZE="${SANITIZE:-}" TOP="$top" bash -c '
        . ./conf_flags
        set -- "${NGX_CONF_FLAGS[@]}" --add-dynamic-module="$TOP"
        hard="-fstack-protector-strong -Wformat -Werror=format-security"
        hard="$hard -D_FORTIFY_SOURCE=2"
        fast="-O2 -flto=auto"
        echo "int ux;" >objs-probe.c
        ${CC:-cc} $fast -fPIC -shared -o objs-probe.so objs-probe.c \
            2>/dev/null || fast=-O2
        opt="-g -O2 -fPIC ${SANITIZE:-$hard $fast}"
        set -- "$@" --with-cc-opt="$opt" \
            --with-ld-opt="-Wl,-z,relro -Wl,-z,now -fPIC ${SANITIZE:-$fast}"
        ./configure "$@"' >"$log" 2>&1 || fail
fi

make -f objs/Makefile -j"${JOBS:-2}" modules >>"$log" 2>&1 || fail

# a running nginx keeps the file it has mapped
cp objs/ngx_http_ux_module.so "$top/$build/ngx_http_ux_module.so.new"
mv "$top/$build/ngx_http_ux_module.so.new" "$top/$build/ngx_http_ux_module.so"
