package UxCostShop;

# Copyright (C) the nginx-ux authors
#
# The shop whose requests are priced: its visitors, what their browsers send,
# and the configurations that do the same job, or part of it, with what nginx
# has.  Every server here has /s/ (files), /r (return) and /p (proxied); the
# proxied one is what an application's page is.

use strict;
use warnings;

use Digest::SHA ();

use UxCost;


package Ux::CostShop;


my $SECRET = 'a key of the bench, longer than sixteen bytes';
my $DAY = int(time / 86400);


# Options of a nginx with this configuration.  Kinds: bare, split
# (experiments), userid, log, limit, auth, lua_lean, lua_visitor, loaded, ours.
sub nginx
{
    my ($kind, %option) = @_;

    my $conf = __PACKAGE__->can("_$kind")->(%option);

    return (
        module => $kind =~ /^(?:ours|loaded)$/ ? undef : 'none',
        globals => ($option{globals} || '') . ($kind =~ /^lua/ ? _lua() : ''),
        files => { map { ("s/$_" => 'x' x 1000) } 'page.html', 'style.css' },
        vars => { APP => $option{app}, SECRET => $SECRET,
            BODY => 'x' x 1000 },
        conf => $conf,
    );
}


# A nginx of this configuration, under callgrind.
sub start
{
    my ($kind, %option) = @_;

    my %nginx = nginx($kind, %option);
    my $t = Ux::cost(%nginx);
    secret($t->nginx);

    return $t->start;
}


# The key that cookie() signs with.
sub secret
{
    my ($nginx) = @_;

    Ux::_write($nginx->dir . '/secret', "$SECRET\n");
    chmod 0600, $nginx->dir . '/secret';

    return;
}


# Is Debian's Lua module here, with the library that it needs?
sub has_lua
{
    return -f '/usr/lib/nginx/modules/ngx_http_lua_module.so'
        && -f '/usr/share/lua/5.1/resty/core.lua';
}


# The application, and the service that decides: a nginx of its own.
sub app
{
    return Ux::nginx(module => 'none', vars => { BODY => 'x' x 1000 },
        conf => <<'EOM');
server {
    listen 127.0.0.1:%%PORT%%;
    access_log off;
    keepalive_requests 100000000;
    location / { return 200 "%%BODY%%"; }
    location /decide { add_header X-Variant one_page; return 204; }
}
EOM
}


# The value of the n-th visitor's cookie, signed.
sub cookie
{
    my ($n) = @_;

    my $text = sprintf '1.%s.%d', substr(Digest::SHA::sha256_hex("visitor $n"),
        0, 32), $DAY;

    return "$text."
        . substr Digest::SHA::hmac_sha256_hex($text, $SECRET), 0, 32;
}


# What a browser sends: 4 cookies, of them `$cookie` ("name=value") one.
sub page
{
    my ($path, $cookie, $method) = @_;

    return _request($method || 'GET', $path, $cookie,
        'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
        'document', 'navigate');
}


sub asset
{
    my ($path, $cookie) = @_;

    return _request('GET', $path, $cookie, 'text/css,*/*;q=0.1', 'style',
        'no-cors');
}


# A beacon of one event.
sub beacon
{
    my ($path, $cookie) = @_;

    my $body = '{"event":"add_payment_info","value":12.5,"currency":"EUR"}';
    my $request = _request('POST', $path, $cookie, '*/*', 'empty', 'cors');

    $request =~ s/\r\n\r\n$/join "\r\n", '', 'Content-Type: application\/json',
        'Content-Length: ' . length $body, '', $body/e;

    return $request;
}


sub _request
{
    my ($method, $path, $cookie, $accept, $dest, $mode) = @_;

    return join "\r\n", "$method $path HTTP/1.1", 'Host: shop.example',
        'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) '
            . 'Gecko/20100101 Firefox/128.0',
        "Accept: $accept", 'Accept-Language: en-GB,en;q=0.5',
        'Accept-Encoding: gzip, deflate, br', 'Connection: keep-alive',
        'Cookie: ' . join('; ', 'session=d41d8cd98f00b204e9800998ecf8427e',
            'theme=dark', $cookie || 'other=' . 'x' x 75,
            '_tracker=GA1.2.1187253412.1700000000'),
        "Sec-Fetch-Dest: $dest", "Sec-Fetch-Mode: $mode",
        'Sec-Fetch-Site: same-origin', '', '';
}


# The frame of all: what goes into http, server and the three locations.
sub _conf
{
    my (%in) = @_;

    my %part = (map { ($_ => '') } qw/ http server all s r p more /);
    %part = (%part, %in);

    return <<"EOM";
upstream app { server %%APP%%; keepalive 4; }
$part{http}
server {
    listen 127.0.0.1:%%PORT%%;
    access_log off;
    keepalive_requests 100000000;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    $part{server}
    location /s/ { $part{all} $part{s} }
    location /r  { $part{all} $part{r} return 200 "%%BODY%%"; }
    location /p  { $part{all} $part{p} proxy_pass http://app; }
    $part{more}
}
EOM
}


sub _bare { return _conf(more => 'location = /d { return 204; }') }


# Ours, loaded and not used.
sub _loaded { return _conf }


# Experiments by a hash of a cookie that something else has set.
sub _split
{
    my (%option) = @_;

    my ($http, $server) = ('', '');

    for my $i (1 .. $option{experiments} || 1) {
        $http .= "split_clients \"\${cookie_ux}e$i\" \$variant_$i "
            . "{ 50% control; * one_page; }\n";
        $server .= "add_header X-UX-Variant-$i \$variant_$i;\n";
    }

    return _conf(http => $http, server => $server);
}


sub _userid
{
    return _conf(server => 'userid on; userid_name ux; userid_path /; '
        . 'userid_expires 365d;');
}


# What is counted offline: a line of each request, buffered.
sub _log
{
    return _conf(http => <<'EOM',
split_clients "${cookie_ux}" $variant { 50% control; * one_page; }
log_format ab '$msec $cookie_ux $variant $status $request_time "$request"';
EOM
        all => 'add_header X-UX-Variant $variant; '
            . 'access_log %%DIR%%/ab.log ab buffer=256k flush=1h;');
}


sub _limit
{
    return _conf(http =>
        'limit_req_zone $cookie_ux zone=visitors:16m rate=100000r/s;',
        server => 'limit_req zone=visitors burst=100000 nodelay;');
}


sub _auth
{
    return _conf(server => <<'EOM');
auth_request /decide;
auth_request_set $variant $upstream_http_x_variant;
add_header X-UX-Variant $variant;
location = /decide {
    internal;
    proxy_pass http://app;
    proxy_pass_request_body off;
    proxy_set_header Content-Length "";
}
EOM
}


# Debian's modules, and the libraries they look for.
sub _lua
{
    return join "\n", (map { "load_module $_;" } grep { -f }
        map { "/usr/lib/nginx/modules/$_.so" }
        'ndk_http_module', 'ngx_http_lua_module'), '';
}


# The least that can be called the same job: a variant by a hash, told to the
# application, and a counter; with `visitor` an entry for each visitor, too.
# "return" skips the access phase: its header is made where answers are.
sub _lua_conf
{
    my (%option) = @_;

    my $visitor = $option{visitor} ? <<'EOM' : '';
        if not visitors:get(key) then
            visitors:add(key, variant)
            counts:incr("visitors_" .. variant, 1, 0)
        end
EOM

    return _conf(r => 'header_filter_by_lua_block '
        . '{ ngx.header["X-UX-Variant"] = decide() }',
        http => <<"EOM", server => <<'EOM');
lua_package_path "/usr/share/lua/5.1/?.lua;;";
lua_shared_dict counts 1m;
lua_shared_dict visitors 64m;
init_by_lua_block {
    local counts, visitors = ngx.shared.counts, ngx.shared.visitors
    local crc32 = ngx.crc32_short
    function decide()
        local key = ngx.var.cookie_ux
        if not key then
            return nil
        end
        local variant = crc32(key) % 2 == 0 and "control" or "one_page"
        counts:incr(variant, 1, 0)
$visitor        return variant
    end
}
EOM
    access_by_lua_block {
        local variant = decide()
        if variant then
            ngx.req.set_header("X-UX-Variant", variant)
        end
    }
EOM
}


sub _lua_lean    { return _lua_conf(@_) }
sub _lua_visitor { return _lua_conf(@_, visitor => 1) }


# Ours: everything on in / but in assets (/s/), which are only looked at.
sub _ours
{
    my (%option) = @_;

    my $n = $option{experiments} || 1;
    my $http = "ux_zone shop " . ($option{zone} || '32m')
        . ($n > 8 ? " experiments=$n" : '') . ";\n"
        . "ux_secret %%DIR%%/secret;\n";

    for my $i (1 .. $n) {
        $http .= "ux_experiment checkout_layout_$i "
            . "{ variant control 50; variant one_page 50; goal purchase; }\n";
    }

    $http .= <<'EOM';
ux_funnel checkout {
    step add_to_cart; step begin_checkout; step purchase;
    cart add_to_cart within=60m;
}
EOM
    return $http . _conf(r => 'ux_expose all;', p => 'ux_expose all;',
        more => <<'EOM');
    location /e { ux_expose all; ux_event add_to_cart;
                  proxy_pass http://app; }
    location /x/ { ux_expose all; alias %%DIR%%/html/s/; }
    location = /n { ux_expose all; return 204; }
    location /b { ux_collect; }
    location /uxstats { ux_stats; }
EOM
}


1;
