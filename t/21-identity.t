#!/usr/bin/env perl

# Copyright (C) the nginx-ux authors
#
# Who a visitor is: the cookie's exact form and signature, who gets one and
# who does not, what is made of forged ones, how keys are kept and changed,
# keys from ux_visitor_key, and when a visitor counts.

use strict;
use warnings;

use Digest::SHA qw/ hmac_sha256_hex /;
use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use UxTest;


my $K1 = 'a signing key of the first days';
my $K2 = 'a second key, sixteen bytes and more';
my $K3 = "a third key with \"quotes\" and a\ttab";

my $last_id = 0;

my @PAGE = ('Sec-Fetch-Dest' => 'document', 'Sec-Fetch-Site' => 'same-origin',
    Accept => 'text/html');

my $BLOCKS = <<'CONF';
ux_zone shop 1m;
ux_experiment layout { variant control 50; variant one_page 50; }
ux_funnel checkout { step add_to_cart; step purchase; cart add_to_cart; }
CONF

my $SERVER = <<'CONF';
server {
    listen 127.0.0.1:%%PORT%%;
    add_header X-Visitor $ux_visitor always;
    add_header X-Variant $ux_variant_layout always;
    location / { ux_expose layout; return 200 "page"; }
    location /any/ { ux_expose all requests=any; return 200 "api"; }
    location /asset/ { return 200 "picture"; }
    location /gone/ { return 404; }
    location /add { ux_expose all; ux_event add_to_cart; return 200 "ok"; }
    location /buy { ux_expose all; ux_event purchase value=10.50 id=o1;
                    return 200 "ok"; }
    location /uxstats { ux_stats; }
}
CONF

cookies_have_their_form();
attributes_are_configured();
https_makes_it_secure();
navigations_get_one();
variables_give_one();
every_status_carries_it();
ours_is_the_only_one();
bad_ones_are_newcomers();
first_valid_one_wins();
keys_are_rotated();
one_cookie_for_all_zones();
key_in_the_snapshot_directory();
snapshot_directory_may_be_bad();
key_in_the_zone();
keys_from_a_variable();
first_page_is_assigned();
what_waited_is_counted();
confirmation_can_be_off();
programs_are_served_not_counted();
one_cookie_is_one_visitor();
odd_requests_do_no_harm();

done_testing();


# An nginx that signs with these keys, started.
sub shop
{
    my (%option) = @_;

    my $keys = delete $option{keys} || [ $K1 ];
    my $conf = delete $option{conf};
    my $shop = Ux::nginx(conf => "ux_secret %%DIR%%/keys;\n$BLOCKS"
        . (defined $conf ? $conf : $SERVER), %option);

    write_keys($shop, @$keys);

    return $shop->start;
}


sub write_keys
{
    my ($shop, @keys) = @_;

    Ux::_write($shop->dir . '/keys', join '', map { "$_\n" } @keys);
    chmod 0600, $shop->dir . '/keys';

    return;
}


sub cookie
{
    my ($key, $id, $day) = @_;

    $day = int time / 86400 unless defined $day;

    return "1.$id.$day." . substr hmac_sha256_hex("1.$id.$day", $key), 0, 32;
}


# For the name of a check.
sub printable
{
    my ($text) = @_;

    $text = substr($text, 0, 12) . '...' . length $text if length $text > 40;
    $text =~ s/([^ -~])/sprintf '\\x%02x', ord $1/ge;

    return $text;
}


sub new_id { return sprintf '%032x', 0xabc000 + ++$last_id }


sub totals
{
    my ($shop, $zone) = @_;

    my $stats = $shop->stats('/zones/' . ($zone || 'shop'));
    my %totals = (%{ $stats->{discarded} }, tracked =>
        $stats->{visitors}{tracked}, assigned => 0, visitors => 0);

    for my $variant (map { values %{ $_->{variants} } }
        values %{ $stats->{experiments} })
    {
        $totals{$_} += $variant->{$_} for qw(assigned visitors);
    }

    return \%totals;
}


# What changed between two totals, without the zeros.
sub change
{
    my ($before, $after) = @_;

    return { map { $_ => $after->{$_} - $before->{$_} }
        grep { $after->{$_} != $before->{$_} } keys %$after };
}


sub cookies_have_their_form
{
    my $shop = shop();
    my %ids;

    for (1 .. 100) {
        my $today = int time / 86400;
        my $page = $shop->get('/', @PAGE);
        my $value = $page->set_cookie('ux');
        my ($id, $day) = $value =~ /^1\.([0-9a-f]{32})\.(\d+)\.[0-9a-f]{32}$/;

        $ids{$id}++;
        next if $_ > 1;

        ok(defined $id, 'the form: 1, id, day, mac') or diag($value);
        ok($day >= $today && $day <= int time / 86400,
            'the day is today, in days since 1970');
        is($value, cookie($K1, $id, $day),
            'the mac: half of the HMAC-SHA256 over 1.id.day, keyed by the'
            . ' raw line of the file');
        is($page->header('X-Visitor'), $id, '$ux_visitor is the id');
        is_deeply([ $page->headers('Set-Cookie') ], [ "ux=$value; Path=/;"
            . ' Max-Age=33696000; HttpOnly; SameSite=Lax' ],
            'the line: path /, 390 days, HttpOnly, Lax, not Secure by http');
        is($page->header('Cache-Control'), 'private',
            'an answer that sets it is private');
    }

    is(scalar keys %ids, 100, 'ids are never given twice');
    my %digit;
    $digit{$_}++ for map { split // } keys %ids;
    is(scalar keys %digit, 16, 'ids are of all hex digits');

    my $browser = $shop->browser;
    my $id = $browser->go('/')->header('X-Visitor');
    for my $path ('/', '/add', '/any/', '/asset/x') {
        my $page = $browser->go($path);
        is($page->header('X-Visitor'), $id, "$path: known again");
        is($page->set_cookie('ux'), undef, "$path: no second cookie");
    }

    like(Ux::_read(Ux::root() . '/src/ux_mac.c'), qr/CRYPTO_memcmp/,
        'macs are compared in constant time');
    $shop->no_alerts;

    return;
}


sub attributes_are_configured
{
    my %expected = (
        'ab' => 'Path=/; Max-Age=33696000; HttpOnly; SameSite=Lax',
        'ab domain=shop.example path=/shop max_age=30d samesite=strict'
            . ' secure=on' => 'Domain=shop.example; Path=/shop;'
            . ' Max-Age=2592000; Secure; HttpOnly; SameSite=Strict',
        '__Host-ab secure=on' =>
            'Path=/; Max-Age=33696000; Secure; HttpOnly; SameSite=Lax',
        'ab samesite=None secure=on max_age=1' =>
            'Path=/; Max-Age=1; Secure; HttpOnly; SameSite=None',
        'ab secure=off' => 'Path=/; Max-Age=33696000; HttpOnly; SameSite=Lax',
    );
    my @lines = sort keys %expected;
    my $servers = '';

    for my $n (0 .. $#lines) {
        $servers .= "server {\n    listen 127.0.0.1:%%PORT%%;\n"
            . "    server_name s$n;\n    ux_cookie $lines[$n];\n"
            . "    location / { ux_expose all; return 204; }\n}\n";
    }

    my $shop = shop(conf => "ux_cookie inherited path=/i;\n$servers"
        . "server { listen 127.0.0.1:%%PORT%%; server_name i;\n"
        . "location / { ux_expose all; return 204; } }\n");

    for my $n (0 .. $#lines) {
        my ($name) = $lines[$n] =~ /^(\S+)/;
        my ($line) = $shop->get('/', @PAGE, Host => "s$n")->headers(
            'Set-Cookie');
        like($line,
            qr/^\Q$name\E=1\.\w+\.\d+\.\w+; \Q$expected{$lines[$n]}\E$/,
            "ux_cookie $lines[$n]");
    }

    like($shop->get('/', @PAGE, Host => 'i')->header('Set-Cookie'),
        qr{^inherited=1\..*; Path=/i; }, 'a server inherits ux_cookie');
    is($shop->get('/', @PAGE, Host => 's1', Cookie => 'ux='
        . cookie($K1, new_id()))->headers('Set-Cookie'), 1,
        'a cookie of the default name is a stranger where another is set');
    $shop->no_alerts;

    return;
}


# Through another nginx, as HTTPS needs more than core modules.
sub https_makes_it_secure
{
    my $shop = Ux::nginx(conf => "ux_secret %%DIR%%/keys;\n$BLOCKS"
        . <<'CONF');
ssl_certificate %%DIR%%/cert.pem;
ssl_certificate_key %%DIR%%/key.pem;
server {
    listen 127.0.0.1:%%PORT%%;
    listen 127.0.0.1:%%PORT_TLS%% ssl;
    location / { ux_expose all; return 200 "page"; }
}
server {
    listen 127.0.0.1:%%PORT_TLS%% ssl;
    server_name off.example;
    ux_cookie ux secure=off;
    location / { ux_expose all; return 200 "page"; }
}
CONF
    my $dir = $shop->dir;
    write_keys($shop, $K1);

    if (system("openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=a"
        . " -keyout '$dir/key.pem' -out '$dir/cert.pem' >/dev/null 2>&1"))
    {
        SKIP: { skip 'https: no openssl to make a certificate', 1 }
        return;
    }

    $shop->start;
    my $front = Ux::nginx(module => 'none', vars => { TLS =>
        '127.0.0.1:' . $shop->port('PORT_TLS') }, conf => <<'CONF')->start;
server {
    listen 127.0.0.1:%%PORT%%;
    location / { proxy_pass https://%%TLS%%; proxy_set_header Host $host; }
}
CONF

    like($front->get('/', @PAGE)->header('Set-Cookie'),
        qr/; Max-Age=33696000; Secure; HttpOnly; SameSite=Lax$/,
        'https: Secure by default');
    unlike($front->get('/', @PAGE, Host => 'off.example')->header(
        'Set-Cookie'), qr/Secure/, 'https: not where secure=off');
    unlike($shop->get('/', @PAGE)->header('Set-Cookie'), qr/Secure/,
        'http on the same server: not Secure');
    $_->no_alerts for $front, $shop;

    return;
}


sub navigations_get_one
{
    my $shop = shop();
    my $host = 'localhost';
    my @cases = (
        [ 1, 'a document', 'GET', '/', 'Sec-Fetch-Dest' => 'document' ],
        [ 1, 'an iframe', 'GET', '/', 'Sec-Fetch-Dest' => 'iframe' ],
        [ 1, 'a frame', 'GET', '/', 'Sec-Fetch-Dest' => 'frame' ],
        [ 0, 'an image', 'GET', '/', 'Sec-Fetch-Dest' => 'image' ],
        [ 0, 'a fetch', 'GET', '/', 'Sec-Fetch-Dest' => 'empty' ],
        [ 0, 'an image that accepts pages', 'GET', '/',
            'Sec-Fetch-Dest' => 'image', Accept => 'text/html' ],
        [ 1, 'a document that accepts anything', 'GET', '/',
            'Sec-Fetch-Dest' => 'document', Accept => '*/*' ],
        [ 1, 'text/html', 'GET', '/', Accept =>
            'application/xml;q=0.9,text/html;q=0.8' ],
        [ 1, 'TEXT/HTML', 'GET', '/', Accept => 'TEXT/HTML' ],
        [ 0, 'anything', 'GET', '/', Accept => '*/*' ],
        [ 0, 'JSON', 'GET', '/', Accept => 'application/json' ],
        [ 0, 'nothing said', 'GET', '/' ],
        [ 1, 'a POST', 'POST', '/', Accept => 'text/html' ],
        [ 0, 'a PUT', 'PUT', '/', Accept => 'text/html' ],
        [ 0, 'a DELETE', 'DELETE', '/', Accept => 'text/html' ],
        [ 0, 'an OPTIONS', 'OPTIONS', '/', Accept => 'text/html' ],
        [ 0, 'a HEAD', 'HEAD', '/', Accept => 'text/html' ],
        [ 1, 'a prefetch', 'GET', '/', @PAGE, 'Sec-Purpose' => 'prefetch' ],
        [ 1, 'a prerender', 'GET', '/', @PAGE,
            'Sec-Purpose' => 'prefetch;prerender' ],
        [ 0, 'a crawler', 'GET', '/', @PAGE, 'User-Agent' =>
            'Mozilla/5.0 (compatible; Googlebot/2.1;'
            . ' +http://www.google.com/bot.html)' ],
        [ 0, 'no User-Agent', 'GET', '/', @PAGE, 'User-Agent' => undef ],
        [ 1, 'a GET of another site', 'GET', '/', Accept => 'text/html',
            'Sec-Fetch-Dest' => 'document',
            'Sec-Fetch-Site' => 'cross-site' ],
        [ 0, 'a POST of another site', 'POST', '/', Accept => 'text/html',
            'Sec-Fetch-Site' => 'cross-site' ],
        [ 1, 'a POST of a sister site', 'POST', '/', Accept => 'text/html',
            'Sec-Fetch-Site' => 'same-site' ],
        [ 1, 'a POST of nobody else', 'POST', '/', Accept => 'text/html',
            'Sec-Fetch-Site' => 'none' ],
        [ 0, 'a POST with a foreign Origin', 'POST', '/',
            Accept => 'text/html', Origin => 'https://evil.example' ],
        [ 0, 'a POST with Origin null', 'POST', '/', Accept => 'text/html',
            Origin => 'null' ],
        [ 0, 'a POST with an Origin that only begins alike', 'POST', '/',
            Accept => 'text/html', Origin => "https://$host.evil.example" ],
        [ 1, 'a POST with our own Origin', 'POST', '/',
            Accept => 'text/html', Origin => "https://$host" ],
        [ 1, 'a POST same-origin, whatever the Origin', 'POST', '/',
            Accept => 'text/html', 'Sec-Fetch-Site' => 'same-origin',
            Origin => 'null' ],
        [ 1, 'a fetch where any request counts', 'GET', '/any/',
            'Sec-Fetch-Dest' => 'empty' ],
        [ 1, 'nothing said where any request counts', 'PUT', '/any/' ],
        [ 0, 'a POST of another site where any counts', 'POST', '/any/',
            'Sec-Fetch-Site' => 'cross-site' ],
        [ 0, 'a HEAD where any request counts', 'HEAD', '/any/' ],
    );

    for my $case (@cases) {
        my ($minted, $name, $method, $path, @headers) = @$case;
        my $before = totals($shop);
        my $page = $shop->request($method, $path, @headers);
        my @cookies = $page->headers('Set-Cookie');

        is(scalar @cookies, $minted,
            ($minted ? 'a cookie for ' : 'no cookie for ') . $name);
        like($page->header('X-Variant'), qr/^(?:control|one_page)$/,
            "$name: a variant all the same");
        is($page->header('X-Variant'), 'control', "$name: the control")
            if !$minted && $name !~ /HEAD|crawler|Agent/;

        # a prefetch is remembered: the page may be shown yet

        my $change = change($before, totals($shop));
        my %expected = $name =~ /prefetch|prerender/
            ? (prefetch => 1, tracked => 1)
            : $name =~ /HEAD/ ? (head => 1)
            : $name =~ /crawler|Agent/ ? (bot => 1)
            : $minted ? (assigned => 1, tracked => 1)
            : $method eq 'POST' ? (cross_site => 1) : ();
        $expected{assigned} = $expected{tracked} = 1
            if $minted && $name !~ /prefetch|prerender/;
        is_deeply($change, \%expected, "$name: counted as what it is")
            or diag(explain $change);
    }

    $shop->no_alerts;

    return;
}


# One that is read mints for a navigation, in time only, and counts nothing.
sub variables_give_one
{
    my $shop = shop(conf => <<'CONF');
log_format visitor "$uri=$ux_visitor";
access_log %%DIR%%/visitors.log visitor;
server {
    listen 127.0.0.1:%%PORT%%;
    location / { ux_expose all; return 200 "page"; }
    location /logged/ { return 200 "page"; }
    location /set/ { set $v $ux_visitor; return 200 $v; }
    location /variant/ { add_header X-Variant $ux_variant_layout; return 204; }
    location /if/ { if ($ux_variant_layout = none) { return 404; }
                    return 204; }
    location /uxstats { ux_stats; set $v $ux_visitor; }
}
server {
    listen 127.0.0.1:%%PORT%%;
    server_name inactive.example;
    location / { add_header X-Visitor $ux_visitor; return 204; }
    location /uxstats { ux_stats; add_header X-Visitor $ux_visitor; }
}
CONF

    my @given;
    for my $case ([ '/set/' ], [ '/variant/' ], [ '/if/' ],
        [ '/', 'inactive.example' ])
    {
        my ($path, $host) = @$case;
        my @host = (Host => $host || 'localhost');
        my $name = $host ? 'an inactive server' : $path;
        my $page = $shop->get($path, @PAGE, @host);
        my ($id) = ($page->set_cookie('ux') || '') =~ /^1\.(\w+)/;

        ok($id, "$name: a variable that is read mints");
        is($page->header('X-Visitor') || $page->body || $id, $id,
            "$name: and tells that visitor");
        is($shop->get($path, Accept => '*/*', @host)->set_cookie('ux'), undef,
            "$name: not for an asset");
        push @given, $page->set_cookie('ux');
    }

    is($shop->get('/logged/', @PAGE)->set_cookie('ux'), undef,
        'a log format mints nothing');
    is($shop->get('/uxstats', @PAGE, Host => $_)->set_cookie('ux'), undef,
        "$_: nor does ux_stats") for 'localhost', 'inactive.example';

    my $id = new_id();
    $shop->get('/logged/?known', @PAGE, Cookie => 'ux=' . cookie($K1, $id));
    my $log = $shop->dir . '/visitors.log';
    Ux::wait_until(sub { Ux::_read($log) =~ /^\Q\/logged\/=$id\E$/m });
    like(Ux::_read($log), qr/^\/logged\/=$id$/m,
        'a log format tells who is known');
    like(Ux::_read($log), qr/^\/logged\/=-?$/m, 'and invents nobody');

    is_deeply([ @{ totals($shop) }{qw(assigned visitors tracked)} ],
        [ 0, 0, scalar @given ], 'each is remembered, and nothing counted');

    $shop->get('/', @PAGE, Cookie => "ux=$_") for @given;
    is_deeply([ @{ totals($shop) }{qw(visitors tracked)} ],
        [ scalar @given, scalar @given ],
        'who comes back is known, and not taken for somebody evicted');
    $shop->no_alerts;

    return;
}


# However the answer comes about, and whichever phases it skips.
sub every_status_carries_it
{
    my @codes = (200, 201, 204, 301, 302, 303, 307, 308, 400, 401, 402, 403,
        404, 405, 409, 410, 413, 415, 416, 418, 429, 500, 501, 502, 503, 504,
        507);
    my $locations = join '', map { "location = /$_ { return $_; }\n" } @codes;

    my $shop = shop(
        files => { 'there/page.html' => 'page', 'there/index.html' => 'i' },
        backends => { APP => sub {
            my ($status) = $_[0]{uri} =~ /(\d+)$/;
            return ($status || 200, [], 'app');
        } }, conf => <<"CONF");
ux_expose all;
server {
    listen 127.0.0.1:%%PORT%%;
    $locations
    location /app/ { proxy_pass http://%%APP%%; }
    location /caught/ { proxy_pass http://%%APP%%/; proxy_intercept_errors on;
                        error_page 404 500 502 /there/page.html; }
    location /there/ { }
    location /dead/ { proxy_pass http://127.0.0.1:1; }
    location /closed/ { deny all; }
    location /closed_page/ { deny all; error_page 403 /there/page.html; }
    location /named/ { error_page 404 = \@named; }
    location \@named { return 203 "named"; }
    location /try/ { try_files \$uri /there/page.html; }
    location /try_named/ { try_files \$uri \@named; }
    location /try_code/ { try_files \$uri =404; }
    location /moved/ { rewrite ^ /there/page.html permanent; }
    location /last/ { rewrite ^/last/(.*) /there/\$1 last; }
    location /break/ { rewrite ^/break/(.*) /there/\$1 break; }
    location /if/ { if (\$arg_a) { return 202; } return 206 "no"; }
    location /limited/ { limit_except POST { deny all; } }
    location /sized/ { client_max_body_size 1; proxy_pass http://%%APP%%; }
    location /uxstats { ux_stats; }
}
server {
    listen 127.0.0.1:%%PORT%%;
    server_name all.example;
    return 302 /elsewhere;
}
server {
    listen 127.0.0.1:%%PORT%%;
    server_name rewritten.example;
    rewrite ^ /there/page.html;
    location /there/ { }
}
CONF

    my %expected = ((map { ("/$_" => $_) } @codes),
        (map { ("/app/$_" => $_) } 200, 201, 204, 302, 304, 404, 500, 503),
        '/caught/200' => 200, '/caught/404' => 404, '/caught/500' => 500,
        '/there/page.html' => 200, '/there/' => 200, '/there' => 301,
        '/there/none' => 404, '/dead/' => 502, '/closed/' => 403,
        '/closed_page/' => 403, '/named/x' => 203, '/try/x' => 200,
        '/try_named/x' => 203, '/try_code/x' => 404, '/moved/x' => 301,
        '/last/page.html' => 200, '/break/page.html' => 200,
        '/if/?a=1' => 202, '/if/' => 206, '/limited/' => 403,
        '//all.example' => 302, '//rewritten.example' => 200);

    my $n = 0;
    for my $path (sort keys %expected) {
        my ($host) = $path =~ m{^//(.*)};
        my $page = $shop->get($host ? '/x' : $path, @PAGE,
            Host => $host || 'localhost');

        is($page->status, $expected{$path}, "$path: answered");
        is(scalar(() = $page->headers('Set-Cookie')), 1,
            "$path: one cookie with status $expected{$path}");
        is(totals($shop)->{assigned}, ++$n, "$path: one visitor assigned");
    }

    my $page = $shop->post('/sized/', 'too long', @PAGE);
    is($page->status, 413, 'a body that is too long');
    is(scalar(() = $page->headers('Set-Cookie')), 1, 'one cookie with it');

    # 304 by nginx itself

    my $etag = $shop->get('/there/page.html', @PAGE)->header('ETag');
    $page = $shop->get('/there/page.html', @PAGE, 'If-None-Match' => $etag);
    is($page->status, 304, 'an answer without a body');
    is(scalar(() = $page->headers('Set-Cookie')), 1, 'one cookie with it');

    $shop->no_alerts;

    return;
}


sub ours_is_the_only_one
{
    my $shop = shop(backends => { APP => sub {
        return (200, [ 'Set-Cookie' => 'a=1', 'Set-Cookie' => 'ux=theirs',
            'set-cookie' => 'ux=theirs2; Path=/x', 'Set-Cookie' => 'uxx=2',
            'Set-Cookie' => 'xux=3' ], 'app');
    } }, conf => <<'CONF');
server {
    listen 127.0.0.1:%%PORT%%;
    location / { ux_expose all; proxy_pass http://%%APP%%; }
    location /once {
        ux_expose all;
        ssi on;
        ssi_types *;
        set $early $ux_visitor;
        add_header X-Early $early;
        proxy_pass http://%%APP%%;
    }
}
CONF

    for my $path ('/', '/once') {
        my $page = $shop->get($path, @PAGE);
        my @lines = $page->headers('Set-Cookie');
        my @ours = grep { /^ux=/ } @lines;

        is(scalar @ours, 1, "$path: one cookie of our name");
        like($ours[0], qr/^ux=1\.[0-9a-f]{32}\./, "$path: ours");
        is_deeply([ grep { !/^ux=/ } @lines ], [ 'a=1', 'uxx=2', 'xux=3' ],
            "$path: the application's other cookies are untouched");
        like($ours[0], qr/^ux=1\.\Q@{[ $page->header('X-Early') ]}\E\./,
            "$path: a variable read before gave the same visitor")
            if $path eq '/once';
    }

    my @lines = $shop->get('/', @PAGE, Cookie => 'ux='
        . cookie($K1, new_id()))->headers('Set-Cookie');
    is_deeply(\@lines, [ 'a=1', 'uxx=2', 'xux=3' ],
        'a cookie we know is not overwritten by the application');
    $shop->no_alerts;

    return;
}


sub bad_ones_are_newcomers
{
    my $shop = shop(conf => "large_client_header_buffers 8 128k;\n$SERVER");
    my $id = new_id();
    my $good = cookie($K1, $id);
    my $day = int time / 86400;
    my $mac = substr $good, -32;
    (my $flipped = $good) =~ tr/0-9a-f/1-9a-f0/;
    (my $late = $good) =~ s/(.)$/$1 eq '0' ? '1' : '0'/e;

    # value of the header, name; with 0: it is no cookie of ours

    my @cases = (
        [ 'of another key', "ux=" . cookie($K2, $id) ],
        [ 'without a mac', "ux=1.$id.$day" ],
        [ 'with an empty mac', "ux=1.$id.$day." ],
        [ 'with the mac of another id', 'ux=1.' . new_id() . ".$day.$mac" ],
        [ 'with another day', 'ux=1.' . $id . '.' . ($day - 1) . ".$mac" ],
        [ 'with a leading zero in the day', "ux=1.$id.0$day.$mac" ],
        [ 'of another version', "ux=2.$id.$day.$mac" ],
        [ 'with every digit changed', "ux=$flipped" ],
        [ 'with the last digit changed', "ux=$late" ],
        [ 'cut by one', 'ux=' . substr $good, 0, -1 ],
        [ 'cut in half', 'ux=' . substr $good, 0, 30 ],
        [ 'one byte too long', "ux=${good}0" ],
        [ 'doubled', "ux=$good$good" ],
        [ 'all zero', "ux=" . '0' x length $good ],
        [ 'zeros of the right form',
          'ux=1.' . '0' x 32 . ".$day." . '0' x 32 ],
        [ 'of 64 kB', 'ux=' . 'a' x 65536 ],
        [ 'of no hex digits', 'ux=1.' . 'g' x 32 . ".$day.$mac" ],
        [ 'in upper case', 'ux=' . uc $good ],
        [ 'with %00', "ux=$good%00" ],
        [ 'in quotes', "ux=\"$good\"" ],
        [ 'with a brute-forced id', 'ux=1.' . 'f' x 32 . ".$day.$mac" ],
        [ 'empty', 'ux=' ],
        [ 'with two equal signs', "ux==$good" ],
        [ 'with a blank before', "ux= $good" ],
        [ 'with markup', 'ux=<script>alert(1)</script>' ],
        [ 'with bytes beyond ASCII', "ux=\x80\xff\xfe" ],
        [ 'with a comma', "ux=$good,$good" ],
        [ 'a thousand of them', join '; ', ("ux=$late") x 1000 ],
        [ 'without an equal sign', 'ux', 0 ],
        [ 'of a longer name', "uxx=$good", 0 ],
        [ 'of a name that ends alike', "xux=$good", 0 ],
        [ 'of an upper-case name', "UX=$good", 0 ],
        [ 'of a name with a blank', "ux =$good", 0 ],
        [ 'inside another value', "a=\"b ux=$good\"", 0 ],
        [ 'behind a comma', "a=b, ux=$good", 0 ],
        [ 'of separators', '; ; ;', 0 ],
        [ 'of tabs', "\t;\t", 0 ],
        [ 'that is not there', '', 0 ],
    );

    my %seen;
    for my $case (@cases) {
        my ($name, $header, $ours) = @$case;
        my $before = totals($shop);
        my $page = $shop->get('/', @PAGE, Cookie => $header);
        my $new = $page->set_cookie('ux') || '';
        my $change = change($before, totals($shop));

        is($page->status, 200, "a cookie $name: an ordinary answer");
        ok($new =~ /^1\.([0-9a-f]{32})\./ && $1 ne $id && !$seen{$1}++,
            "a cookie $name: a new visitor");
        is_deeply($change, { assigned => 1, tracked => 1,
            defined $ours ? () : (bad_cookie => 1) },
            "a cookie $name: " . (defined $ours ? 'none of ours'
                : 'bad_cookie, beside the exposure'))
            or diag(explain $change);
    }

    for my $path ('/asset/a', '/gone/', '/any/') {
        my $before = totals($shop);
        is($shop->get($path, 'Sec-Fetch-Dest' => 'image', Cookie => "ux=$late")
            ->status, $path eq '/gone/' ? 404 : 200, "$path: answered");
        is(change($before, totals($shop))->{bad_cookie}, 1,
            "$path: bad_cookie, once a request");
    }

    my $before = totals($shop);
    $shop->get('/asset/a', Cookie => "ux=$good");
    is_deeply(change($before, totals($shop)), {},
        'a valid cookie without a record makes none by itself');

    my $text = $shop->get('/uxstats')->body . $shop->error_log;
    unlike($text, qr/alert\(1\)|\Q$K1\E|$mac/,
        'neither keys nor cookies are in statistics and error log');
    $shop->no_alerts;

    return;
}


sub first_valid_one_wins
{
    my $shop = shop();
    my @ids = map { new_id() } 1 .. 3;
    my ($a, $b, $c) = map { 'ux=' . cookie($K1, $_) } @ids;
    my $bad = 'ux=' . cookie($K2, $ids[0]);

    my @cases = (
        [ 'alone', 0, $a ],
        [ 'with others around it', 0, "x=1; $a; y=2" ],
        [ 'with blanks and tabs', 0, "x=1;\t $a \t;y=2" ],
        [ 'with nothing between', 0, "x=1;$a;y=2" ],
        [ 'with a semicolon behind', 0, "$a;" ],
        [ 'with empty pairs', 0, ";; ;$a;;" ],
        [ 'first of two valid ones', 0, "$a; $b" ],
        [ 'first of two, the other way', 1, "$b; $a" ],
        [ 'behind a bad one', 0, "$bad; $a" ],
        [ 'before a bad one', 0, "$a; $bad" ],
        [ 'behind seven bad ones', 0, join '; ', ($bad) x 7, $a ],
        [ 'before a thousand', 0, join '; ', $a, ($b) x 80 ],
        [ 'in the second header', 0, 'x=1', $a ],
        [ 'in the first of two headers', 0, $a, $b ],
        [ 'bad in the first, good in the second', 2, $bad, "x=1; $c" ],
    );

    for my $case (@cases) {
        my ($name, $which, @headers) = @$case;
        my $before = totals($shop);
        my $page = $shop->get('/', @PAGE, map { (Cookie => $_) } @headers);

        is($page->header('X-Visitor'), $ids[$which], "the one $name");
        is($page->set_cookie('ux'), undef, "$name: no new cookie");
        is(change($before, totals($shop))->{bad_cookie}, undef,
            "$name: one valid is enough");
    }

    my $page = $shop->get('/', @PAGE, Cookie => join '; ', ($bad) x 8, $a);
    is($page->status, 200, 'a valid one behind eight bad ones: answered');
    isnt($page->header('X-Visitor'), $ids[0], 'eight are looked at, no more');
    $shop->no_alerts;

    return;
}


sub keys_are_rotated
{
    my $shop = shop(workers => 2);
    my $old = $shop->browser;
    my $asset = $shop->browser;
    my $id = $old->go('/')->header('X-Visitor');
    my $asset_id = $asset->go('/')->header('X-Visitor');
    my $day = (split /\./, $old->cookie('ux'))[2];
    my $first = $old->cookie('ux');

    $_->asset('/asset/a') for $old, $asset;
    is(totals($shop)->{visitors}, 2, 'confirmed under the first key');

    write_keys($shop, $K2, $K1);
    ok($shop->reload, 'a second key is put before the first');

    my $page = $asset->asset('/asset/a');
    is_deeply([ $page->header('X-Visitor'), $page->set_cookie('ux') ],
        [ $asset_id, undef ], 'an asset: accepted, not signed anew');

    $page = $old->go('/');
    is($page->header('X-Visitor'), $id, 'a cookie of the old key is accepted');
    is($page->set_cookie('ux'), cookie($K2, $id, $day),
        'a page signs it anew: the same id and day, the new key');
    is($old->go('/')->set_cookie('ux'), undef, 'once');
    is($shop->get('/', @PAGE, Cookie => "ux=$first")->header('X-Visitor'),
        $id, 'the old value is still good, as another tab may send it');
    my ($new_id, $new_mac) = ($shop->get('/', @PAGE)->set_cookie('ux')
        || '') =~ /^1\.(\w+)\.\d+\.(\w+)$/;
    is($new_mac, substr(cookie($K2, $new_id), -32),
        'new ones are signed by the first key');

    my $aged = cookie($K1, new_id(), $day - 100);
    my ($line) = $shop->get('/', @PAGE, Cookie => "ux=$aged")->headers(
        'Set-Cookie');
    my $left = 86400 * (390 - 100 - (int(time / 86400) - $day));
    like($line || '', qr/; Max-Age=$left;/, 'signing anew prolongs nothing');

    write_keys($shop, $K3, $K2, $K1);
    ok($shop->reload, 'a third key');
    for my $case ([ $K1, 'first' ], [ $K2, 'second' ], [ $K3, 'third' ]) {
        my $before = totals($shop);
        my $someone = new_id();
        is($shop->get('/', @PAGE, Cookie => 'ux=' . cookie($case->[0],
            $someone))->header('X-Visitor'), $someone,
            "three keys: the $case->[1] verifies");
        is(change($before, totals($shop))->{bad_cookie}, undef,
            "three keys: no bad_cookie for the $case->[1]");
    }

    is($old->go('/')->header('X-Visitor'), $id, 'the visitor is the same');
    is($old->cookie('ux'), cookie($K3, $id, $day), 'now under the third key');

    write_keys($shop, $K3);
    ok($shop->reload, 'the first two are retired');
    is($old->go('/')->header('X-Visitor'), $id, 'the third still verifies');

    for my $case ([ $first, 'first' ], [ cookie($K2, $id, $day), 'second' ],
        [ $asset->cookie('ux'), 'first, of one not signed anew' ])
    {
        my $before = totals($shop);
        my $page = $shop->get('/', @PAGE, Cookie => "ux=$case->[0]");
        ok($page->header('X-Visitor') ne $id && $page->header('X-Visitor')
            ne $asset_id && $page->set_cookie('ux'),
            "a cookie of a retired key, the $case->[1]: a new visitor");
        is(change($before, totals($shop))->{bad_cookie}, 1,
            "a cookie of a retired key, the $case->[1]: bad_cookie");
    }

    write_keys($shop, 'short');
    ok(!$shop->reload, 'a reload with a short key is refused');
    is($old->go('/')->header('X-Visitor'), $id, 'and the old keys stay');
    $shop->no_alerts('no alerts but for the short key',
        qr/key in line 1|configuration file/);

    return;
}


# Without ux_secret there is one key, or two zones would undo each other.
sub one_cookie_for_all_zones
{
    my $shop = Ux::nginx(conf => $BLOCKS . <<'CONF')->start;
ux_zone b2b 1m;
ux_experiment price zone=b2b { variant control 1; variant low 1; }
server {
    listen 127.0.0.1:%%PORT%%;
    add_header X-Visitor $ux_visitor;
    location /shop/ { ux_expose layout; return 200 "a"; }
    location /b2b/ { ux_expose price; return 200 "b"; }
    location /uxstats { ux_stats; }
}
CONF

    my $browser = $shop->browser;
    my $id = $browser->go('/shop/')->header('X-Visitor');
    my $cookie = $browser->cookie('ux');

    is($browser->go($_)->header('X-Visitor'), $id, "$_: the same visitor")
        for '/b2b/', '/shop/', '/b2b/';
    is($browser->cookie('ux'), $cookie, 'the same cookie');
    is(totals($shop, $_)->{bad_cookie}, 0, "$_: no bad cookie")
        for 'shop', 'b2b';
    is(totals($shop, $_)->{visitors}, 1, "$_: a visitor")
        for 'shop', 'b2b';
    $shop->no_alerts;

    return;
}


sub key_in_the_snapshot_directory
{
    my @nobody = $> == 0 ? getpwnam 'nobody' : ();
    my $group = @nobody ? getgrgid $nobody[3] : '';
    (my $blocks = $BLOCKS) =~ s/1m;/1m snapshot=%%DIR%%\/state;/;
    my $shop = Ux::nginx(conf => $blocks . $SERVER,
        globals => @nobody ? "user nobody $group;\n" : '');
    my $dir = $shop->dir . '/state';

    my ($passed) = $shop->test_config($blocks . $SERVER);
    ok($passed && !-e $dir, 'nginx -t makes no directory');

    chmod 0755, $shop->dir;
    $shop->start;
    my $key = Ux::_read("$dir/secret");

    is(sprintf('%04o', 07777 & (stat $dir)[2]), '0700',
        'the directory is ours alone');
    is(sprintf('%04o', 07777 & (stat "$dir/secret")[2]), '0600',
        'the key file is ours alone');
    is((stat $dir)[4], @nobody ? $nobody[2] : $>,
        'the directory is the worker processes\' own');
    like($key, qr/^[0-9a-f]{64}\n$/, 'a key of 256 bits, one line');

    my $browser = $shop->browser;
    my $id = $browser->go('/')->header('X-Visitor');
    chomp(my $line = $key);
    is($browser->cookie('ux'), cookie($line, $id, (split /\./,
        $browser->cookie('ux'))[2]), 'cookies are signed by that line');

    $shop->stop;
    ($passed) = $shop->test_config($blocks . $SERVER);
    ok($passed && Ux::_read("$dir/secret") eq $key,
        'nginx -t leaves the key as it is');

    $shop->start;
    is(Ux::_read("$dir/secret"), $key, 'a restart keeps the key');
    my $page = $browser->go('/');
    is($page->header('X-Visitor'), $id, 'and knows the visitor');
    is_deeply([ $page->set_cookie('ux'), totals($shop)->{bad_cookie} ],
        [ undef, 0 ], 'by its old cookie');
    is(totals($shop)->{visitors}, 1, 'who is confirmed by it');

    ok($shop->reload, 'a reload');
    is(Ux::_read("$dir/secret"), $key, 'keeps the key as well');
    is($browser->go('/')->header('X-Visitor'), $id, 'and the visitor');
    $shop->no_alerts;

    return;
}


# Without a good directory the shop is served, and the error is in the log.
sub snapshot_directory_may_be_bad
{
    (my $blocks = $BLOCKS) =~ s/1m;/1m snapshot=%%DIR%%\/state;/;
    my %make = (
        'a file' => sub { Ux::_write("$_[0]", "text\n") },
        'in no directory' => undef,
        'with a short key' => sub { mkdir $_[0];
            Ux::_write("$_[0]/secret", "short\n") },
        'with a fifo for a key' => sub { mkdir $_[0];
            POSIX::mkfifo("$_[0]/secret", 0600) },
        'with a directory for a key' => sub { mkdir $_[0];
            mkdir "$_[0]/secret" },
        'with a link for a key' => sub { mkdir $_[0];
            Ux::_write("$_[0]/../target", 'x' x 64 . "\n");
            symlink "$_[0]/../target", "$_[0]/secret" },
    );

    for my $name (sort keys %make) {
        my $conf = $blocks . $SERVER;
        $conf =~ s{/state}{/no/such/state} unless $make{$name};
        my $shop = Ux::nginx(conf => $conf);
        $make{$name}->($shop->dir . '/state') if $make{$name};

        my ($passed) = $shop->test_config($conf);
        ok($passed, "a snapshot directory $name: nginx -t passes");
        $shop->start;
        my $browser = $shop->browser;
        my $id = $browser->go('/')->header('X-Visitor');
        is($browser->go('/')->header('X-Visitor'), $id,
            "a snapshot directory $name: served, with a key in memory");
        like($shop->error_log . Ux::_read($shop->dir . '/stderr.log'),
            qr/\[error\].*state/, "a snapshot directory $name: an error line");
        $shop->no_alerts("a snapshot directory $name: no alerts");
    }

    # one that was there is left as it is

    my $shop = Ux::nginx(conf => $blocks . $SERVER);
    mkdir $shop->dir . '/state';
    chmod 0755, $shop->dir . '/state';
    $shop->start;
    is(sprintf('%04o', 07777 & (stat $shop->dir . '/state')[2]), '0755',
        'a directory that was there keeps its mode');
    is(sprintf('%04o', 07777 & (stat $shop->dir . '/state/secret')[2]),
        '0600', 'the key in it is ours alone');
    $shop->no_alerts;

    return;
}


sub key_in_the_zone
{
    my $shop = Ux::nginx(conf => $BLOCKS . $SERVER)->start;
    my $browser = $shop->browser;
    my $id = $browser->go('/')->header('X-Visitor');

    like($shop->error_log . Ux::_read($shop->dir . '/stderr.log'),
        qr/\[warn\].*"shop": neither "ux_secret" nor "snapshot="/,
        'no key file: a warning');
    ok($shop->reload, 'no key file: a reload');
    is($browser->go('/')->header('X-Visitor'), $id, 'keeps the visitors');

    $shop->stop;
    $shop->start;
    isnt($browser->go('/')->header('X-Visitor'), $id,
        'a restart makes a new visitor');
    is(totals($shop)->{bad_cookie}, 1, 'of a bad cookie');
    $shop->no_alerts;

    return;
}


sub keys_from_a_variable
{
    my $shop = shop(conf => <<'CONF');
server {
    listen 127.0.0.1:%%PORT%%;
    ux_visitor_key $http_x_user;
    ux_expose all;
    add_header X-Visitor $ux_visitor always;
    add_header X-Variant $ux_variant_layout always;
    location / { return 200 "page"; }
    location /none/ { ux_visitor_key ""; return 200 "page"; }
    location /any/ { ux_expose all requests=any; return 200 "api"; }
    location /add { ux_event add_to_cart; return 204; }
    location /uxstats { ux_stats; }
}
CONF
    my $id = new_id();
    my $cookie = 'ux=' . cookie($K1, $id);

    my $page = $shop->get('/', @PAGE, 'X-User' => 'u-1');
    is_deeply([ $page->header('X-Visitor'), $page->set_cookie('ux') ],
        [ 'u-1', undef ], 'a key: the visitor, and no cookie');
    is_deeply([ @{ totals($shop) }{'assigned', 'visitors'} ], [ 1, 1 ],
        'a key: confirmed at once');
    is($shop->get('/', @PAGE, 'X-User' => 'u-1', Cookie => $cookie)
        ->header('X-Visitor'), 'u-1', 'a key wins over the cookie');
    is(totals($shop)->{visitors}, 1, 'and stays one visitor');
    is($shop->get('/', @PAGE, 'X-User' => '', Cookie => $cookie)
        ->header('X-Visitor'), $id, 'an empty key falls back to the cookie');
    is($shop->get('/', @PAGE, Cookie => $cookie)->header('X-Visitor'), $id,
        'so does none');
    ok($shop->get('/', @PAGE)->set_cookie('ux'), 'or to a new cookie');
    is($shop->get('/none/', @PAGE, 'X-User' => 'u-1', Cookie => $cookie)
        ->header('X-Visitor'), $id, 'ux_visitor_key "" turns it off');

    my $before = totals($shop);
    is($shop->get('/', Accept => '*/*', 'X-User' => 'u-2')->header(
        'X-Visitor'), 'u-2', 'a key needs no navigation');
    is_deeply(change($before, totals($shop)), {},
        'but an exposure does');
    $shop->get('/any/', 'X-User' => 'u-2');
    is_deeply(change($before, totals($shop)), { assigned => 1, visitors => 1,
        tracked => 1 }, 'where any request counts, it counts at once');

    my %variant;
    for my $n (1 .. 40) {
        my $key = "v$n";
        my $name = $shop->get('/any/', 'X-User' => $key)->header('X-Variant');
        $variant{$key} = $name;
    }
    is_deeply(\%variant, Ux::assign('layout:control=50,one_page=50',
        [ keys %variant ]), 'the key is hashed byte for byte');

    my @odd = ('x' x 4000, "b\xc3\xa9b\xff", '<script>', 'a b', '"\'\\', $id);
    for my $key (@odd) {
        is($shop->get('/', @PAGE, 'X-User' => $key)->header('X-Visitor'),
            $key, 'an odd key is a key: ' . printable($key));
    }
    unlike($shop->get('/uxstats')->body, qr/<script>|xxxx|u-1/,
        'keys are not in the statistics');
    $shop->no_alerts;

    return;
}


sub first_page_is_assigned
{
    my $shop = shop();
    my $browser = $shop->browser;

    $browser->go('/');
    is_deeply([ @{ totals($shop) }{'assigned', 'visitors', 'tracked'} ],
        [ 1, 0, 1 ], 'a first page alone: assigned, no visitor');
    is($shop->stats('/zones/shop')->{visitors}{provisional}, 1,
        'its record is provisional');

    $browser->asset('/asset/logo.png');
    is_deeply([ @{ totals($shop) }{'assigned', 'visitors', 'tracked'} ],
        [ 1, 1, 1 ], 'the cookie\'s return with an asset confirms');
    is($shop->stats('/zones/shop')->{visitors}{provisional}, 0,
        'its record is no longer provisional');

    $browser->go('/');
    $browser->asset('/asset/x') for 1 .. 3;
    is_deeply([ @{ totals($shop) }{'assigned', 'visitors'} ], [ 1, 1 ],
        'once');

    my $missing = $shop->browser;
    $missing->go('/');
    is($missing->asset('/gone/x')->status, 404, 'an asset that is not there');
    is(totals($shop)->{visitors}, 2, 'confirms as well');

    my $head = $shop->browser;
    $head->go('/');
    $shop->head('/asset/x', Cookie => 'ux=' . $head->cookie('ux'));
    is(totals($shop)->{visitors}, 3, 'so does a HEAD');

    my $prefetch = $shop->browser;
    $prefetch->go('/');
    $prefetch->go('/', 'Sec-Purpose' => 'prefetch');
    is(totals($shop)->{visitors}, 4, 'so does a prefetch');

    my $page = $shop->browser;
    $page->go('/') for 1 .. 2;
    is(totals($shop)->{visitors}, 5, 'so does a second page');

    $shop->get('/', @PAGE, Cookie => 'ux=' . cookie($K1, new_id()));
    is_deeply([ @{ totals($shop) }{'assigned', 'visitors'} ], [ 6, 6 ],
        'a cookie that comes with the first exposure confirms at once');

    # of who is known a record is only looked at, but for what waits in it

    my $later = $shop->browser;
    $later->go('/', 'Sec-Purpose' => 'prefetch') for 1 .. 2;
    my $before = totals($shop);
    $later->asset('/asset/x');
    is(change($before, totals($shop))->{assigned}, 1,
        'an asset tells that the page prefetched before was shown');

    $later->asset('/asset/x');
    $before = totals($shop);
    my $forged = $later->cookie('ux');
    $forged =~ s/(.)\z/$1 eq '0' ? 1 : 0/e;
    $shop->get('/asset/x', Cookie => 'ux=' . $_) for $forged,
        $later->cookie('ux');
    is_deeply(change($before, totals($shop)), { bad_cookie => 1 },
        'who knows an id of theirs is not them');

    $shop->get('/', @PAGE) for 1 .. 20;
    is_deeply([ @{ totals($shop) }{'assigned', 'visitors'} ], [ 27, 7 ],
        'who keeps no cookie is assigned each time and never counted');
    $shop->no_alerts;

    return;
}


sub numbers
{
    my ($shop) = @_;

    my $zone = $shop->stats('/zones/shop');
    my %sum = (zone_add => $zone->{events}{add_to_cart},
        zone_buy => $zone->{events}{purchase});

    for my $variant (values %{ $zone->{experiments}{layout}{variants} }) {
        my $metrics = $variant->{metrics};
        my $funnel = $variant->{funnels}{checkout};
        my %add = (visitors => $variant->{visitors},
            adders => $metrics->{add_to_cart}{visitors},
            adds => $metrics->{add_to_cart}{events},
            buyers => $metrics->{purchase}{visitors},
            revenue => $metrics->{revenue}{sum},
            steps => $funnel->{steps}[0]{visitors},
            in_order => $funnel->{steps}[1]{visitors_in_order},
            carts => $funnel->{carts}{created},
            purchased => $funnel->{carts}{purchased});
        $sum{$_} += $add{$_} || 0 for keys %add;
    }

    return \%sum;
}


sub what_waited_is_counted
{
    my $shop = shop();
    my %none = map { $_ => 0 } qw(zone_add zone_buy visitors adders adds
        buyers revenue steps in_order carts purchased);

    my $browser = $shop->browser;
    $browser->go('/add');
    is_deeply(numbers($shop), { %none, zone_add => 1 },
        'an event of the first request: in the zone\'s events only');

    $browser->asset('/asset/x');
    my %added = (%none, zone_add => 1, visitors => 1, adders => 1, adds => 1,
        steps => 1, carts => 1);
    is_deeply(numbers($shop), \%added,
        'at confirmation it enters metrics, funnel and carts');

    $browser->asset('/asset/x');
    is_deeply(numbers($shop), \%added, 'once');

    $browser->go('/buy') for 1 .. 2;
    is_deeply(numbers($shop), { %added, zone_buy => 1, buyers => 1,
        revenue => 10.5, in_order => 1, purchased => 1 },
        'a confirmed visitor\'s events count at once, an id once');

    my $quick = $shop->browser;
    $quick->go('/buy');
    is(numbers($shop)->{revenue}, 10.5, 'a purchase at first sight waits');
    $quick->asset('/asset/x');
    is(numbers($shop)->{revenue}, 21, 'and counts with its value');
    $quick->go('/buy');
    is(numbers($shop)->{revenue}, 21, 'its id is remembered from the wait');

    my $lost = $shop->browser;
    $lost->go('/add');
    is_deeply([ @{ numbers($shop) }{qw(zone_add visitors carts)} ],
        [ 2, 2, 1 ], 'of those who do not come back nothing is counted');
    $shop->no_alerts;

    return;
}


sub confirmation_can_be_off
{
    my $shop = shop(conf => "ux_confirm off;\n$SERVER");

    $shop->get('/add', @PAGE);
    is_deeply([ @{ totals($shop) }{'assigned', 'visitors'} ], [ 1, 1 ],
        'ux_confirm off: a first page is a visitor');
    is_deeply([ @{ numbers($shop) }{qw(adders carts)} ], [ 1, 1 ],
        'ux_confirm off: its events count at once');
    is($shop->stats('/zones/shop')->{visitors}{provisional}, 0,
        'ux_confirm off: no record is provisional');
    $shop->no_alerts;

    return;
}


sub programs_are_served_not_counted
{
    my $shop = shop(backends => { APP => undef },
        conf => "large_client_header_buffers 8 64k;\n" . <<'CONF');
server {
    listen 127.0.0.1:%%PORT%%;
    add_header X-Visitor $ux_visitor always;
    add_header X-Bot $ux_bot;
    location / { ux_expose all; ux_event add_to_cart;
                 proxy_pass http://%%APP%%; }
    location /uxstats { ux_stats; }
}
server {
    listen 127.0.0.1:%%PORT%%;
    server_name counts.example;
    ux_bots count;
    location / { ux_expose all; proxy_pass http://%%APP%%; }
}
CONF
    my $googlebot = 'Mozilla/5.0 (compatible; Googlebot/2.1;'
        . ' +http://www.google.com/bot.html)';
    my @cases = (
        [ 'a crawler', 'bot', 'GET', 'User-Agent' => $googlebot ],
        [ 'a command line', 'bot', 'GET', 'User-Agent' => 'curl/8.5.0' ],
        [ 'a library', 'bot', 'GET', 'User-Agent' =>
            'python-requests/2.31.0' ],
        [ 'an empty User-Agent', 'bot', 'GET', 'User-Agent' => '' ],
        [ 'no User-Agent', 'bot', 'GET', 'User-Agent' => undef ],
        [ 'a HEAD', 'head', 'HEAD' ],
        [ 'a prefetch', 'prefetch', 'GET', 'Sec-Purpose' => 'prefetch' ],
        [ 'a prefetch of old', 'prefetch', 'GET', 'Purpose' => 'prefetch' ],
        [ 'a HEAD of a crawler', 'bot', 'HEAD', 'User-Agent' => $googlebot ],
        [ 'a prefetch of a crawler', 'bot', 'GET', 'User-Agent' => $googlebot,
            'Sec-Purpose' => 'prefetch' ],
        [ 'a prefetch by HEAD', 'prefetch', 'HEAD',
            'Sec-Purpose' => 'prefetch' ],
    );

    for my $case (@cases) {
        my ($name, $why, $method, @headers) = @$case;
        my $before = totals($shop);
        my %told;

        for (1 .. 5) {
            my $page = $shop->request($method, '/', @PAGE, @headers);
            is($page->status, 200, "$name: served") if $_ == 1;
            my ($variant) = $shop->backend('APP')->last_request->values(
                'X-UX-Variant');
            $told{defined $variant ? $variant : 'none'}++;

            next if $_ > 1;
            if ($name =~ /^a prefetch(?: of old)?$/) {
                ok($page->set_cookie('ux'), "$name: a cookie");
                next;
            }
            is_deeply([ $page->headers('Set-Cookie') ], [],
                "$name: no cookie");
            is($page->header('X-Visitor'), undef, "$name: nobody's key");
        }

        like(join(' ', keys %told),
            qr/^layout=\w+(?: layout=\w+)?$/, "$name: a variant");
        is(scalar keys %told, 1, "$name: the same variant each time")
            unless $name =~ /^a prefetch(?: of old)?$/;
        my $change = change($before, totals($shop));
        my $records = $name =~ /^a prefetch(?: of old)?$/ ? 5 : 0;
        is_deeply($change, { $why => 5, $records ? (tracked => $records)
            : () }, "$name: $records records, no exposure, no event, once"
            . " $why");
    }

    for my $agent ('Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101'
        . " Firefox/115.0 \x80\xff", 'Mozilla/5.0 ' . 'x' x 8192,
        "\x80\xff" x 20, '<script>alert(1)</script>', '"\\')
    {
        is($shop->get('/', @PAGE, 'User-Agent' => $agent,
            Referer => '"><script>alert(2)</script>')->status, 200,
            'an odd User-Agent is served: ' . printable($agent));
    }
    unlike($shop->get('/uxstats', 'User-Agent' => 'Marked4711 <script>',
        Referer => 'https://marked4711/', Cookie => 'ux=marked4711')->body,
        qr/script>|Googlebot|marked4711/i,
        'nothing of a request is in the statistics');

    my $before = totals($shop);
    my $page = $shop->get('/', @PAGE, 'User-Agent' => $googlebot,
        Host => 'counts.example');
    ok($page->set_cookie('ux'), 'ux_bots count: a crawler gets a cookie');
    is_deeply(change($before, totals($shop)), { assigned => 1, tracked => 1 },
        'ux_bots count: and is an ordinary visitor');
    $shop->no_alerts;

    return;
}


sub one_cookie_is_one_visitor
{
    my $shop = shop(conf => "set_real_ip_from 127.0.0.1;\n"
        . "real_ip_header X-Address;\n$SERVER", workers => 2);
    my $cookie = 'ux=' . cookie($K1, new_id());
    my $connection = $shop->connection;

    for my $n (1 .. 500) {
        $connection->request('GET', '/', [ @PAGE, Cookie => $cookie,
            'X-Address' => '10.1.' . int($n / 250) . '.' . $n % 250 ]);
    }

    is_deeply([ @{ totals($shop) }{qw(assigned visitors tracked)} ],
        [ 1, 1, 1 ], 'a cookie replayed from 500 addresses is one visitor');

    my %variant;
    for my $n (1 .. 64) {
        $variant{$shop->get('/', @PAGE, 'User-Agent' => 'curl/8.5.0',
            'X-Address' => "10.2.0.$n")->header('X-Variant')}++;
    }
    is_deeply([ sort keys %variant ], [ qw(control one_page) ],
        'programs are bucketed by address');
    $shop->no_alerts;

    return;
}


sub odd_requests_do_no_harm
{
    my $shop = shop();
    my ($worker) = $shop->workers;
    my $agent = "User-Agent: $Ux::Connection::BROWSER\r\n";
    my $html = "Accept: text/html\r\n$agent";

    my %odd = (
        'HTTP/0.9' => "GET /\r\n",
        'HTTP/1.0 without Host' => "GET / HTTP/1.0\r\n$html\r\n",
        'absolute form' => "GET http://localhost/ HTTP/1.1\r\n"
            . "Host: localhost\r\n$html\r\n",
        'asterisk' => "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n$html\r\n",
        'CONNECT' => "CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n"
            . "$html\r\n",
        'TRACE' => "TRACE / HTTP/1.1\r\nHost: localhost\r\n$html\r\n",
        'no Host' => "GET / HTTP/1.1\r\n$html\r\n",
        'two Hosts' => "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n$html\r\n",
        'a bad request line' => "GET\r\n\r\n",
        'a bad method' => "GE\x01T / HTTP/1.1\r\nHost: a\r\n\r\n",
        'a URI too long' => 'GET /' . 'x' x 40000 . " HTTP/1.1\r\n"
            . "Host: a\r\n$html\r\n",
        'headers too long' => "GET / HTTP/1.1\r\nHost: a\r\nX: "
            . 'x' x 40000 . "\r\n$html\r\n",
        'a bad escape' => "GET /%zz HTTP/1.1\r\nHost: a\r\n$html\r\n",
        'a bad version' => "GET / HTTP/9.9\r\nHost: a\r\n$html\r\n",
        'a bad length' => "POST / HTTP/1.1\r\nHost: a\r\n$html"
            . "Content-Length: x\r\n\r\n",
        'TLS' => "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" . "\0" x 40
            . "\r\n\r\n",
    );

    for my $name (sort keys %odd) {
        my $connection = $shop->connection;
        $connection->send($odd{$name});
        $connection->shutdown;
        ok(length $connection->read_all, "$name: an answer");
    }

    my $connection = $shop->connection;
    my $one = $connection->request_text('GET', '/', [ @PAGE ]);
    my $before = totals($shop);
    $connection->send($one x 5);
    my @ids = map { $connection->read_response->header('X-Visitor') } 1 .. 5;
    is(scalar(keys %{{ map { $_ => 1 } @ids }}), 5,
        'pipelined requests are told apart');
    is(change($before, totals($shop))->{assigned}, 5, 'and counted each');

    is_deeply([ $shop->workers ], [ $worker ], 'the worker is the same one');
    $shop->no_alerts;

    return;
}
