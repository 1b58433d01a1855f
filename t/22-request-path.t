#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# What one client request leaves behind, whatever way it takes through nginx:
# one visitor, one variant, one exposure, each event once.  And what the
# module takes out of a request: the client's variant header, nothing else.

use strict;
use warnings;

use File::Spec;
use FindBin;
use IO::Select;
use IO::Socket::INET;
use lib "$FindBin::Bin/lib";
use POSIX ();
use Test::More;
use UxTest;


# It takes connections and never answers.
my $silent = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 64,
    Proto => 'tcp') or die "cannot listen: $@\n";

my $filter = filter_module();
my $next_user = 0;

my $t = Ux::nginx(
    backends => { APP => \&application },
    vars => { SILENT => '127.0.0.1:' . $silent->sockport },
    globals => $filter ? "load_module $filter;\n" : '',
    files => {
        'dir/index.html' => 'an index',
        'try/there.html' => 'a file',
        'file/page.html' => 'x' x 1000,
        'file/broken.xml' => '<p>not closed',
        'file/broken.jpg' => 'no picture',
        'control/static/page.html' => 'static control',
        'one_page/static/page.html' => 'static one_page',
        'ssi/page.html' => join('|',
            map { qq{<!--#include virtual="/sub/s$_" -->} } 1 .. 3),
        'addition/page.html' => 'body|',
    },
    conf => configuration())->start;

redirects();
first_location_decides();
answers_without_content();
subrequests();
header_filters_run_twice();
kinds_of_requests();
kinds_of_answers();
clients_that_leave();
one_connection();
http2();
header_names();
header_positions();
servers_not_active();
variables();
status_classes();

$t->no_alerts;

done_testing();


sub configuration
{
    my $conf = <<'CONF';
underscores_in_headers on;
ignore_invalid_headers off;
keepalive_requests 100000;

proxy_cache_path %%DIR%%/cache keys_zone=cache:1m;

ux_zone shop 8m;

ux_experiment layout {
    variant control  50;
    variant one_page 50;
    goal purchase;
}

ux_zone other 4m;

ux_experiment banner zone=other {
    variant plain 50;
    variant blue  50;
    goal purchase;
}

map $ux_variant_layout $side {
    control  left;
    one_page right;
}

log_format ux '$request_uri|$ux_visitor|$ux_variant_layout|$ux_events|'
              '$ux_reason_layout';

server {
    listen 127.0.0.1:%%PORT%%;

    access_log %%DIR%%/ux.log ux;
    ux_visitor_key $http_x_user;
    add_header X-Told $ux_variants always;
    add_header X-Visitor $ux_visitor always;
    proxy_intercept_errors on;

    # the upstream answers by the last part of the path
    location /app/ { ux_expose layout; proxy_pass http://%%APP%%; }

    location /loop/ {
        ux_expose layout;
        ux_event  add_to_cart;
        rewrite   ^/loop/a(.*)$ /loop/$1 last;
        proxy_pass http://%%APP%%;
    }

    location = /chain/1 {
        ux_expose layout;
        ux_event  view_item;
        ux_event  add_to_cart if=$arg_yes;
        rewrite   ^ /chain/2 last;
    }

    location = /chain/2 {
        ux_event   view_item;
        proxy_pass http://%%APP%%;
    }

    location /try/ {
        ux_expose layout;
        ux_event  view_item;
        try_files $uri @try;
    }

    location @try {
        ux_expose  layout;
        ux_event   add_to_cart;
        proxy_pass http://%%APP%%;
    }

    location /tryuri/ { ux_expose layout; try_files $uri /app/tried; }

    location /dir/ {
        ux_expose layout;
        ux_event  view_item;
        index     index.html;
    }

    location /missing/ {
        ux_expose  layout;
        ux_event   view_item status=404;
        ux_event   refund status=2xx value=1;
        error_page 404 /errors/not_found;
        root       %%DIR%%/nowhere;
    }

    location /missing_named/ {
        ux_expose  layout;
        error_page 404 = @try;
        root       %%DIR%%/nowhere;
    }

    location /errors/ {
        ux_expose  layout;
        ux_event   begin_checkout status=404;
        proxy_pass http://%%APP%%;
    }

    location /form/ {
        ux_expose  layout;
        ux_event   begin_checkout method=POST;
        ux_event   view_item method=GET;
        error_page 500 =200 /sorry/;
        proxy_pass http://%%APP%%/;
    }

    location /sorry/ {
        ux_event   add_payment_info method=POST;
        ux_event   add_shipping_info method=GET;
        proxy_pass http://%%APP%%;
    }

    location /accel/ {
        ux_expose  layout;
        proxy_pass http://%%APP%%;
    }

    location /protected/ {
        internal;
        ux_expose layout;
        ux_event  view_item;
        root      %%DIR%%/html/control;
        rewrite   ^/protected/(.*)$ /static/$1 break;
    }

    location /off/ {
        ux_expose off;
        rewrite   ^ /app/ok last;
    }

    location /none/ { rewrite ^ /app/ok last; }

    location /zones/ {
        set     $early $ux_visitor;
        rewrite ^ /banner/ok last;
    }

    location /banner/ {
        ux_expose  banner;
        proxy_pass http://%%APP%%/app/;
    }

    location /keys/ {
        ux_visitor_key $http_x_user;
        ux_expose layout;
        rewrite ^ /otherkey/ok last;
    }

    location /otherkey/ {
        ux_visitor_key $http_x_other_user;
        ux_expose      layout;
        proxy_pass     http://%%APP%%/app/;
    }

    location = /return  { ux_expose layout; ux_event view_item; return 200; }
    location = /moved   { ux_expose layout; ux_event view_item; return 302 /; }
    location = /denied  { ux_expose layout; deny all; }
    location = /dropped { ux_expose layout; ux_event view_item status=1xx,2xx,3xx,4xx; return 444; }
    location = /nothing { ux_expose layout; ux_event view_item; return 204; }

    location /silent/ {
        ux_expose  layout;
        ux_event   view_item status=100-599;
        proxy_pass http://%%SILENT%%;
    }

    # subrequests
    location /ssi/      { ux_expose layout; ssi on; ssi_types *; }
    location /addition/ { ux_expose layout; addition_types *; add_after_body /sub/after; }

    location /sub/ {
        ux_expose  layout;
        ux_event   add_to_cart;
        proxy_set_header X-Seen $ux_visitor/$ux_variant_layout;
        proxy_pass http://%%APP%%/app/;
    }

    location /auth/ {
        auth_request     /check;
        auth_request_set $login $upstream_http_x_login;
        ux_visitor_key   $login;
        ux_expose        layout;
        proxy_pass       http://%%APP%%/app/;
    }

    location = /check {
        internal;
        ux_event   add_to_cart;
        proxy_pass http://%%APP%%;
        proxy_set_header X-Path $request_uri;
    }

    location /slice/ {
        ux_expose  layout;
        ux_event   view_item;
        slice      100;
        proxy_set_header Range $slice_range;
        proxy_pass http://%%APP%%;
    }

    location /mirrored/ {
        ux_expose  layout;
        ux_event   view_item;
        mirror     /mirror;
        proxy_pass http://%%APP%%/app/;
    }

    location = /mirror {
        internal;
        ux_expose  layout;
        ux_event   add_to_cart;
        proxy_pass http://%%APP%%;
    }

    location /file/ {
        ux_expose layout;
        ux_event  view_item;
        root      %%DIR%%/html;
    }

    location /file_again/ {
        ux_expose  layout;
        ux_event   view_item;
        alias      %%DIR%%/html/file/;
        error_page 416 = /errors/range;
    }

%%FILTER%%

    # variables
    location /static/ {
        ux_expose layout;
        root      %%DIR%%/html/$ux_variant_layout;
    }

    location /mapped/ {
        ux_expose  layout;
        proxy_pass http://%%APP%%/app/$side/$ux_variant_layout;
    }

    location /keyed/ {
        ux_expose       layout;
        proxy_cache     cache;
        proxy_cache_key $uri/$ux_variant_layout;
        proxy_cache_valid 200 1h;
        proxy_pass      http://%%APP%%/app/;
    }

    # other names of the header
    location /name/default/ { ux_expose layout; proxy_pass http://%%APP%%/app/; }

    location /name/a/ {
        ux_header  X-Exp-A;
        ux_expose  layout;
        proxy_pass http://%%APP%%/app/;
    }

    location /name/renamed/ {
        ux_header X-Exp-A;
        ux_expose layout;
        rewrite   ^ /name/b/x last;
    }

    location /name/b/ {
        ux_header  X-Exp-B;
        proxy_pass http://%%APP%%/app/;
    }

    location /name/off/ {
        ux_header  X-Exp-A;
        ux_expose  off;
        proxy_pass http://%%APP%%/app/;
    }

    location /http2/ {
        ux_visitor_key $arg_user;
        ux_expose  layout;
        ux_event   view_item;
        return 200 "$arg_user $ux_visitor $ux_variant_layout";
    }

    location /uxstats { ux_stats; }
}

server {
    listen 127.0.0.1:%%PORT_H2%% http2;
    ux_visitor_key $arg_user;

    location /http2/ {
        ux_expose  layout;
        ux_event   view_item;
        proxy_pass http://127.0.0.1:%%PORT%%;
        add_header X-Told $arg_user/$ux_visitor/$ux_variant_layout;
    }
}

# all in the server block
server {
    listen 127.0.0.1:%%PORT_S%%;
    ux_visitor_key $http_x_user;
    ux_expose layout;
    error_page 400 414 /error;

    if ($http_x_drop) { return 444; }
    return 200 "server $ux_variants";
}

# errors found before there are phases
server {
    listen 127.0.0.1:%%PORT_E%%;
    ux_visitor_key $http_x_user;
    ux_expose layout requests=any;
    client_header_buffer_size 1k;
    large_client_header_buffers 2 1k;
    error_page 400 405 414 494 /error;

    location / { proxy_pass http://%%APP%%/app/; }
}

# not active: the directives that are here make it not so
server {
    listen 127.0.0.1:%%PORT_N%%;
    ux_visitor_key $http_x_user;
    ux_header X-Exp-N;

    access_log %%DIR%%/ux.log ux;
    location / { proxy_pass http://%%APP%%/app/; }

    location /variables/ {
        add_header X-Told "$ux_visitor $ux_variant_layout $ux_reason_layout $ux_bot";
        proxy_pass http://%%APP%%/app/;
    }
}
CONF

    $conf =~ s/%%FILTER%%/filter_location()/e;

    return $conf;
}


# By the last part of the path.  The header that says which variant is told
# comes back in the body.
sub application
{
    my ($request) = @_;

    my ($word) = $request->{uri} =~ m{([^/?]*)(?:\?.*)?$};
    my $variant = join '+', $request->values('X-UX-Variant');
    my @seen = $request->values('X-Seen');

    return (200, [ 'X-Login' => ($request->values('X-Path'))[0] ], 'yes')
        if $word eq 'check';
    return (500, [], 'fault') if $word eq 'fault';
    return (200, [ 'X-Accel-Redirect' => '/protected/page.html',
        'X-UX-Event' => 'add_to_cart' ], '') if $word eq 'send';
    return (204, [], '') if $word eq '204';
    return (304, [], '') if $word eq '304';
    return _slice($request) if $request->{uri} =~ m{^/slice/};

    return (200, [], "variant=$variant" . (@seen ? " seen=@seen" : '')
        . " uri=$request->{uri}");
}


sub _slice
{
    my ($request) = @_;

    my ($from, $to) = ($request->values('Range'))[0] =~ /(\d+)-(\d+)/;
    $to = 449 if $to > 449;

    return (206, [ 'Content-Range' => "bytes $from-$to/450",
        'ETag' => '"one"' ], 'x' x ($to - $from + 1));
}


# A module whose header filter may turn an answer into an error.
sub filter_module
{
    for my $dir (grep { defined } $ENV{TEST_NGINX_MODULES},
        '/usr/lib/nginx/modules', '/usr/local/lib/nginx/modules')
    {
        for my $name (qw(image_filter xslt_filter)) {
            my $path = "$dir/ngx_http_${name}_module.so";
            return $path if -f $path;
        }
    }

    return undef;
}


sub filter_location
{
    return '' unless $filter;

    my ($directive, $file) = $filter =~ /image/
        ? ('image_filter test;', 'broken.jpg')
        : ('xslt_stylesheet %%DIR%%/html/file/broken.xml;', 'broken.xml');

    return <<"CONF";
    location = /filtered {
        ux_expose layout;
        ux_event  view_item;
        ux_event  add_to_cart status=4xx,5xx;
        $directive
        alias     %%DIR%%/html/file/$file;
        error_page 415 500 \@filtered;
    }

    location \@filtered {
        ux_expose  layout;
        ux_event   begin_checkout;
        return     200 "an error";
    }
CONF
}


# Nobody has been this visitor before.
sub newcomer { return 'u' . ++$next_user }


sub numbers
{
    my $zones = $t->stats('/')->{zones};
    my %n;

    for my $zone (keys %$zones) {
        my $z = $zones->{$zone};
        my $prefix = $zone eq 'shop' ? '' : "$zone.";
        $n{"${prefix}events.$_"} = $z->{events}{$_} for keys %{ $z->{events} };
        $n{"${prefix}discarded.$_"} = $z->{discarded}{$_}
            for keys %{ $z->{discarded} };
        for my $experiment (values %{ $z->{experiments} }) {
            for my $variant (values %{ $experiment->{variants} }) {
                $n{$prefix . $_} += $variant->{$_} for qw(assigned visitors);
            }
        }
    }

    return \%n;
}


# What some requests changed, as "name 1, name 2"; assigned is left out where
# it goes with visitors.
sub changes
{
    my ($work) = @_;

    my $before = numbers();
    $work->();
    my $after = numbers();

    my %changed = map { $_ => $after->{$_} - ($before->{$_} || 0) }
        keys %$after;
    for my $prefix ('', 'other.') {
        delete $changed{"${prefix}assigned"}
            if ($changed{"${prefix}assigned"} || 0)
            == ($changed{"${prefix}visitors"} || 0);
    }

    return join ', ', map { "$_ $changed{$_}" }
        grep { $changed{$_} } sort keys %changed;
}


# A navigation of a visitor known by a key.
sub navigate
{
    my ($path, @headers) = @_;

    return $t->get($path, Accept => 'text/html', @headers);
}


# One request of a newcomer: status, changes, and that the application saw
# the variant that $ux_variants says, once.
sub one_request
{
    my ($name, $path, $status, $expected, %option) = @_;

    my ($response, $user) = (undef, newcomer());

    $t->backend('APP')->clear;

    is(changes(sub {
        $response = $option{send} ? $option{send}->($user)
            : navigate($path, 'X-User' => $user, @{ $option{headers} || [] });
    }), $expected, "$name: what is counted");

    is($response ? $response->status : 'none', $status, "$name: answered");

    if ($option{told}) {
        my $told = $response->header('X-Told');
        like($told, qr/^\w+=\w+$/, "$name: a variant");
        for my $request ($t->backend('APP')->requests) {
            is_deeply([ $request->values('X-UX-Variant') ], [ $told ],
                "$name: every upstream request says it, once");
        }
        is(scalar(my @all = $t->backend('APP')->requests), $option{told},
            "$name: upstream requests");
    }

    return $response;
}


sub redirects
{
    one_request('rewrite last, ten times into one location',
        '/loop/aaaaaaaaaa', 200, 'events.add_to_cart 1, visitors 1',
        told => 1);
    one_request('each directive once, those of every location',
        '/chain/1?yes=1', 200,
        'events.add_to_cart 1, events.view_item 2, visitors 1', told => 1);
    one_request('if= is looked at when the answer is there',
        '/chain/1?yes=0', 200, 'events.view_item 2, visitors 1', told => 1);
    one_request('try_files finds it', '/try/there.html', 200,
        'events.view_item 1, visitors 1');
    one_request('try_files into a named location', '/try/not', 200,
        'events.add_to_cart 1, events.view_item 1, visitors 1', told => 1);
    one_request('try_files into another location', '/tryuri/not', 200,
        'visitors 1', told => 1);
    one_request('index', '/dir/', 200, 'events.view_item 1, visitors 1');
    one_request('error_page', '/missing/x', 404,
        'events.begin_checkout 1, events.view_item 1, visitors 1', told => 1);
    one_request('error_page into a named location', '/missing_named/x', 200,
        'events.add_to_cart 1, visitors 1', told => 1);
    one_request('a POST turned into a GET by error_page stays a POST', '',
        200, 'events.add_payment_info 1, events.begin_checkout 1, '
        . 'visitors 1', told => 2, send => sub {
            $t->post('/form/fault', 'a=b', 'X-User' => $_[0],
                Accept => 'text/html') });
    one_request('X-Accel-Redirect', '/accel/send', 200,
        'events.add_to_cart 1, events.view_item 1, visitors 1', told => 1);

    is($t->backend('APP')->last_request->{method}, 'GET',
        'X-Accel-Redirect: the upstream got the request');

    return;
}


sub first_location_decides
{
    my $response = one_request('the first ux_expose decides, off included',
        '/off/x', 200, '');
    like($response->body, qr/^variant= /, 'off: no variant for the upstream');

    $response = one_request('a location with no ux_expose does not decide',
        '/none/x', 200, 'visitors 1');
    like($response->body, qr/^variant=layout=/, 'no ux_expose: a variant');

    one_request('a visitor read early, exposed in another zone',
        '/zones/x', 200, 'other.visitors 1');
    is($t->backend('APP')->requests, 1, 'another zone: asked once');
    like($t->backend('APP')->last_request->value('X-UX-Variant'),
        qr/^banner=(?:plain|blue)$/, 'another zone: its variant');

    my $user = newcomer();
    $response = navigate('/keys/x', 'X-User' => $user,
        'X-Other-User' => newcomer());
    is($response->header('X-Visitor'), $user,
        'the key of the location that decides');

    return;
}


# No content handler, and so no precontent phase.
sub answers_without_content
{
    one_request('return', '/return', 200, 'events.view_item 1, visitors 1');
    one_request('return of a redirect', '/moved', 302,
        'events.view_item 1, visitors 1');
    one_request('return 204', '/nothing', 204,
        'events.view_item 1, visitors 1');
    one_request('deny', '/denied', 403, 'visitors 1');
    one_request('444: an exposure, no event', '/dropped', 'none',
        'visitors 1');

    my $user = newcomer();
    my $server = Ux::Connection->new($t->port('PORT_S'));
    my @headers = (Accept => 'text/html', 'X-User' => $user);
    my $response;

    is(changes(sub { $response = $server->request('GET', '/', \@headers) }),
        'visitors 1', 'return in the server block: counted');
    like($response->body, qr/^server layout=\w+$/,
        'return in the server block: variables are there');

    $headers[-1] = newcomer();
    $server->close;
    is(changes(sub { $server->request('GET', '/', [ @headers,
        'X-Drop' => 1 ]) }), 'visitors 1',
        '444 in the server block: an exposure');

    my $errors = Ux::Connection->new($t->port('PORT_E'));
    for my $case ([ 'a request line that is none', "NONSENSE\r\n\r\n" ],
        [ 'HTTP/0.9', "GET /old\r\n" ],
        [ 'no Host', "GET / HTTP/1.1\r\nAccept: text/html\r\n\r\n" ],
        [ 'a line too long', 'GET /' . 'x' x 3000 . " HTTP/1.1\r\n\r\n" ],
        [ 'a header too long', "GET / HTTP/1.1\r\nHost: localhost\r\n"
            . 'X-Long: ' . 'x' x 3000 . "\r\n\r\n" ],
        [ 'a header that is none', "GET / HTTP/1.1\r\nHost: a b\r\n\r\n" ],
        [ 'TRACE', "TRACE / HTTP/1.1\r\nHost: localhost\r\n\r\n" ],
        [ 'CONNECT', "CONNECT a:1 HTTP/1.1\r\nHost: localhost\r\n\r\n" ])
    {
        my ($name, $bytes) = @$case;
        $errors->send($bytes);
        $response = $errors->read_response;
        ok($response, "$name: answered");
        like($response ? $response->body : '', qr{variant=layout=\w+ uri=},
            "$name: by the error's page, with a variant");
        $errors->close;
    }

    return;
}


sub subrequests
{
    my $response = one_request('SSI', '/ssi/page.html', 200, 'visitors 1',
        told => 3);
    subrequests_agree('SSI', $response, 3);

    $response = one_request('addition', '/addition/page.html', 200,
        'visitors 1', told => 1);
    subrequests_agree('addition', $response, 1);

    my $user = newcomer();
    is(changes(sub { $response = navigate("/auth/$user") }), 'visitors 1',
        'auth_request: the main request only');
    is($response->header('X-Visitor'), "/auth/$user",
        'auth_request: its answer may name the visitor');
    like($response->body, qr/^variant=layout=\w+ uri=/,
        'auth_request: the application is told the variant');

    $response = one_request('slice', '/slice/x', 200,
        'events.view_item 1, visitors 1', told => 5);
    is(length $response->body, 450, 'slice: the whole of it');

    one_request('mirror', '/mirrored/x', 200,
        'events.view_item 1, visitors 1', told => 2);

    return;
}


# Variables in subrequests are those of the main request.
sub subrequests_agree
{
    my ($name, $response, $n) = @_;

    my $visitor = $response->header('X-Visitor');
    my ($variant) = $response->header('X-Told') =~ /=(\w+)/;
    my @seen = $response->body =~ /seen=(\S+)/g;

    is_deeply(\@seen, [ ("$visitor/$variant") x $n ],
        "$name: variables of the main request in each");

    return;
}


# An answer that a filter refuses is sent once more, as an error.
sub header_filters_run_twice
{
    my @range = (headers => [ Range => 'bytes=5000-' ]);

    one_request('416 after our filter', '/file/page.html', 416,
        'events.view_item 1, visitors 1', @range);
    one_request('416, with error_page', '/file_again/page.html', 416,
        'events.view_item 1, visitors 1', @range, told => 1);
    one_request('412, by filter_finalize before our filter',
        '/file/page.html', 412, 'visitors 1',
        headers => [ 'If-Match' => '"never"' ]);

    for my $path ('/file/page.html', '/file_again/page.html') {
        my $response = navigate($path, Range => 'bytes=5000-');
        is(scalar(my @cookies = $response->headers('Set-Cookie')), 1,
            "$path: one Set-Cookie");
    }

    SKIP: {
        skip 'no image_filter or xslt module of nginx here', 3 unless $filter;

        # the events are those of the answer that was given up
        one_request('filter_finalize', '/filtered',
            $filter =~ /image/ ? 415 : 500,
            'events.view_item 1, visitors 1');
        my $response = navigate('/filtered');
        is(scalar(my @cookies = $response->headers('Set-Cookie')), 1,
            'filter_finalize: one Set-Cookie');
    }

    return;
}


sub kinds_of_requests
{
    is(changes(sub { $t->get('/app/x', 'X-User' => newcomer()) }), '',
        'no navigation: nothing is counted');
    is(changes(sub { $t->head('/app/x', 'X-User' => newcomer(),
        Accept => 'text/html') }), 'discarded.head 1',
        'HEAD of a page is no exposure');
    is(changes(sub { $t->head('/app/x', 'X-User' => newcomer()) }), '',
        'HEAD of no page is nothing');
    is(changes(sub { navigate('/app/x', 'X-User' => newcomer(),
        'Sec-Purpose' => 'prefetch;prerender') }), 'discarded.prefetch 1',
        'a prefetch is no exposure');
    is(changes(sub { navigate('/app/x', 'X-User' => newcomer(),
        'User-Agent' => 'Googlebot/2.1', 'Sec-Purpose' => 'prefetch') }),
        'discarded.bot 1', 'one reason is counted, the first');
    is(changes(sub { $t->get('/return', 'User-Agent' => '',
        Accept => 'text/html') }), 'discarded.bot 1',
        'a bot tells no event either');

    my $response = $t->http("GET /app/ok\r\n");
    ok($response, 'HTTP/0.9: answered');
    like($response->body, qr/^variant=layout=\w+ /, 'HTTP/0.9: proxied');

    my $user = newcomer();
    is(changes(sub { $response = $t->http("GET /app/ok HTTP/1.0\r\n"
        . "Accept: text/html\r\nUser-Agent: $Ux::Connection::BROWSER\r\n"
        . "X-User: $user\r\n\r\n") }), 'visitors 1',
        'HTTP/1.0 without Host: counted');
    like($response->body, qr/^variant=layout=\w+ /,
        'HTTP/1.0 without Host: proxied');

    is(changes(sub { $response = $t->http("GET http://other.example/app/ok"
        . " HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\nUser-Agent: "
        . "$Ux::Connection::BROWSER\r\nX-User: a$user\r\n\r\n") }),
        'visitors 1', 'absolute-form: counted');

    my $bytes = join '', map { "GET /app/ok HTTP/1.1\r\nHost: x\r\nAccept: "
        . "text/html\r\nUser-Agent: $Ux::Connection::BROWSER\r\n"
        . "X-User: p$user$_\r\n\r\n" } 1 .. 5;
    my $connection = $t->connection;
    my @visitors;
    is(changes(sub {
        $connection->send($bytes);
        push @visitors, $connection->read_response->header('X-Visitor')
            for 1 .. 5;
    }), 'visitors 5', 'pipelined requests: each counted');
    is_deeply(\@visitors, [ map { "p$user$_" } 1 .. 5 ],
        'pipelined requests: each its own visitor');

    return;
}


sub kinds_of_answers
{
    my @since = (headers => [ 'If-Modified-Since' =>
        'Fri, 01 Jan 2038 00:00:00 GMT' ]);
    my $file = navigate('/file/page.html');
    my @etag = (headers => [ 'If-None-Match' => $file->header('ETag') ]);

    one_request('304', '/file/page.html', 304,
        'events.view_item 1, visitors 1', @etag);
    one_request('206', '/file/page.html', 206,
        'events.view_item 1, visitors 1', headers => [ Range =>
        'bytes=1-9' ]);
    one_request('204 of an upstream', '/app/204', 204, 'visitors 1',
        told => 1);
    one_request('304 of an upstream', '/app/304', 304, 'visitors 1',
        told => 1);
    one_request('500 of an upstream', '/app/fault', 500, 'visitors 1',
        told => 1);

    my $response = navigate('/file/page.html', @{ $etag[1] });
    is($response->status, 304, '304 for a new browser');
    ok(defined $response->set_cookie('ux'),
        'our Set-Cookie goes out on a 304, too');

    for my $path ('/app/fault', '/moved', '/nothing', '/denied',
        '/missing/x', '/app/304')
    {
        ok(defined navigate($path)->set_cookie('ux'),
            "our Set-Cookie goes out on $path");
    }

    return;
}


sub clients_that_leave
{
    my $connection;
    my $user = newcomer();

    is(changes(sub {
        $connection = $t->connection;
        $connection->send(Ux::Connection->request_text('GET', '/silent/x',
            [ Accept => 'text/html', 'X-User' => $user ]));
        ok(IO::Select->new($silent)->can_read(10), 'the upstream is asked');
        my $upstream = $silent->accept;
        $connection->close;
        Ux::wait_until(sub { logged("/silent/x|$user|") });
    }), 'visitors 1', 'a client that left before the header: an exposure, '
        . 'no event');

    $user = newcomer();
    is(changes(sub {
        $connection = $t->connection;
        $connection->send("GET /app/ok HTTP/1.1\r\nHost: x\r\nX-User: $user"
            . "\r\nAccept: text/html\r\n");
        $connection->close;
    }), '', 'a client that left within its request: nothing');

    $user = newcomer();
    is(changes(sub {
        $connection = $t->connection;
        $connection->send(Ux::Connection->request_text('GET',
            '/file/page.html', [ Accept => 'text/html', 'X-User' => $user ]));
        $connection->close;
        Ux::wait_until(sub { logged("/file/page.html|$user|") });
    }), 'events.view_item 1, visitors 1',
        'a client that left at the header: all of it');

    return;
}


sub one_connection
{
    my ($worker) = $t->workers;
    my $connection = $t->connection;
    my $bytes = Ux::Connection->request_text('GET', '/return',
        [ Accept => 'text/html', 'X-User' => 'steady',
          'X-UX-Variant' => 'layout=x', 'X-One' => 1 ]);

    my $run = sub {
        for (1 .. $_[0]) {
            $connection->exchange($bytes) or return 0;
        }
        return anonymous_kb($worker);
    };

    my $warm = $run->(300);
    my $long;
    is(changes(sub { $long = $run->(1000) }), 'events.view_item 1000',
        'a thousand requests of one connection: a thousand events');
    cmp_ok($long - $warm, '<=', 64, 'and no memory kept (kB)');

    return;
}


sub anonymous_kb
{
    my ($pid) = @_;

    return (Ux::_read("/proc/$pid/status") =~ /^RssAnon:\s*(\d+)/m)[0];
}


sub http2
{
    SKIP: {
        skip 'no curl with HTTP/2 here', 3
            unless (`curl -V 2>/dev/null` || '') =~ /\bHTTP2\b/;

        my $dir = $t->dir;
        my $url = 'http://127.0.0.1:' . $t->port('PORT_H2')
            . '/http2/x?user=stream[1-128]';

        is(changes(sub {
            system 'curl', '-s', '-Z', '--parallel-max', 128,
                '--http2-prior-knowledge', '-A', $Ux::Connection::BROWSER,
                '-H', 'Accept: text/html', '-o', "$dir/stream#1",
                '-D', "$dir/heads", $url;
        }), 'events.view_item 256, visitors 128',
            'HTTP/2: 128 streams at once, 128 visitors');

        my @wrong = grep { Ux::_read("$dir/stream$_")
            !~ /^stream$_ stream$_ (?:control|one_page)$/ } 1 .. 128;
        is("@wrong", '', 'HTTP/2: each stream its own visitor');

        my @told = Ux::_read("$dir/heads") =~ /^x-told: (\S+)/gmi;
        is(scalar(grep { m{^(stream\d+)/\1/} } @told), 128,
            'HTTP/2: in every answer');
    }

    return;
}


# Each name a location gives, in every spelling, is ours in all of the server.
sub header_names
{
    my %ours = ('/name/default/x' => 'X-UX-Variant', '/name/a/x' => 'X-Exp-A',
        '/name/renamed/x' => 'X-Exp-B', '/name/off/x' => undef);
    my @names = ('X-UX-Variant', 'X-Exp-A', 'X-Exp-B');
    my @forged = map { ($_ => 'forged', lc $_ => 'forged',
        uc($_) => 'forged', tr/-/_/r => 'forged', tr/-/./r => 'forged') }
        @names;
    my @near = ('X-UX-Variants' => 'n1', 'X-UX-Varian' => 'n2',
        'XX-UX-Variant' => 'n3', 'X-Exp-C' => 'n4', 'UX-Variant' => 'n5',
        'X-Exp-N' => 'n6');

    for my $path (sort keys %ours) {
        my $response = navigate($path, 'X-User' => newcomer(), @forged,
            @near);
        my $request = $t->backend('APP')->last_request;

        for my $name (@names) {
            my $mine = defined $ours{$path} && $ours{$path} eq $name;
            is_deeply([ $request->values($name) ],
                [ $mine ? $response->header('X-Told') : () ], "$path: $name "
                . ($mine ? 'is as nginx decided' : 'is not there'));
        }
        is_deeply([ map { $_->[1] } grep { $_->[1] =~ /^n\d$/ }
            @{ $request->{pairs} } ], [ map { "n$_" } 1 .. 6 ],
            "$path: names that are nearly ours are not touched");
    }

    return;
}


# nginx keeps headers in parts of 20: first, last and only ones of a part.
sub header_positions
{
    my $stock = Ux::nginx(module => 'none', conf => <<"CONF")->start;
underscores_in_headers on;
ignore_invalid_headers off;
keepalive_requests 100000;
server {
    listen 127.0.0.1:%%PORT%%;
    location / { proxy_pass http://@{[ $t->backend('APP')->address ]}/app/; }
}
CONF
    my $plain = $stock->connection;
    my $connection = $t->connection;
    my (@wrong, $checks);

    for my $n (1, 2, 3, 19 .. 22, 39 .. 42, 60) {
        my @own = map { ("X-H$_" => $_) } 1 .. $n;
        my $expected = seen_by_upstream($plain, '/off/x', @own);

        for my $at (0 .. $n) {
            for my $copies (1, $at % 20 ? 2 : 21) {
                my @headers = @own;
                splice @headers, 2 * $at, 0,
                    ('X-UX-Variant' => 'forged') x $copies;
                my $seen = seen_by_upstream($connection, '/off/x', @headers);
                $checks++;
                push @wrong, "$copies at $at of $n: $seen"
                    if $seen ne $expected;
            }
        }
    }

    is("@wrong", '', "$checks requests, forged headers at every place: the "
        . 'upstream sees what it would without them and the module');

    @wrong = ();
    for my $n (1, 16 .. 23, 36 .. 43) {
        my @own = map { ("X-H$_" => $_) } 1 .. $n;
        my $expected = seen_by_upstream($plain, '/app/x', @own);
        my $seen = seen_by_upstream($connection, '/app/x',
            'X-UX-Variant' => 'forged', @own, 'X_UX_Variant' => 'forged');

        (my $without = $seen) =~ s/ X-UX-Variant: layout=\w+$//;
        push @wrong, "$n: $seen"
            if $without ne $expected || $without eq $seen;
    }
    is("@wrong", '', 'where there is a variant, it is added at the end');

    $stock->no_alerts('stock nginx: no alerts');

    return;
}


# All header lines, in order, but those that nginx makes of the connection.
sub seen_by_upstream
{
    my ($connection, $path, @headers) = @_;

    $t->backend('APP')->clear;
    $connection->request('GET', $path, [ @headers ]) or return 'no answer';
    my $request = $t->backend('APP')->last_request;

    return join ' ', map { "$_->[0]: $_->[1]" }
        grep { $_->[0] !~ /^(?:Host|Connection)$/ } @{ $request->{pairs} };
}


sub servers_not_active
{
    my $connection = Ux::Connection->new($t->port('PORT_N'));
    my $user = newcomer();
    my @headers = (Accept => 'text/html', 'X-User' => $user,
        'X-UX-Variant' => 'a', 'x_ux_variant' => 'b', 'X-Exp-N' => 'c');
    my $response;

    is(changes(sub { $response = $connection->request('GET', '/x',
        \@headers) }), '', 'not active: counts nothing');
    is_deeply([ $t->backend('APP')->last_request->values('X-UX-Variant') ],
        [ 'a', 'b' ], 'not active: passes what the client says');
    is($t->backend('APP')->last_request->value('X-Exp-N'), 'c',
        'not active: under every name');
    is($response->set_cookie('ux'), undef, 'not active: no cookie');

    is(changes(sub { $response = $connection->request('GET',
        '/variables/x', \@headers) }), '', 'not active: reading a variable '
        . 'counts nothing');
    my $told = $response->header('X-Told');
    like($told, qr/^$user (?:control|one_page) split 0$/,
        'not active: variables work');
    is($told, join(' ', $user, Ux::Nginx::request($t, 'GET', '/app/x',
        'X-User' => $user)->header('X-Told') =~ /=(\w+)/, 'split 0'),
        'not active: the same variant as elsewhere');

    # without a key: reading them makes a visitor, of navigations only
    $response = $connection->request('GET', '/variables/x',
        [ Accept => 'text/html' ]);
    my $cookie = $response->set_cookie('ux');
    ok(defined $cookie, 'not active: a variable mints for a navigation');
    like($response->header('X-Told'), qr/^[0-9a-f]{32} \w+ split 0$/,
        'not active: and says who it is');
    my $again = $connection->request('GET', '/variables/x',
        [ Accept => 'text/html', Cookie => "ux=$cookie" ]);
    is($again->header('X-Told'), $response->header('X-Told'),
        'not active: the cookie is known again');
    is($again->set_cookie('ux'), undef, 'not active: and kept');
    $response = $connection->request('GET', '/variables/x', []);
    is($response->header('X-Told'), ' control default 0',
        'not active: nobody is made of anything else');

    # the log is written when the answer has gone
    $connection->request('GET', '/late', [ Accept => 'text/html' ]);
    ok(Ux::wait_until(sub { logged('/late|') }), 'not active: logged');
    like(logged('/late|'), qr{^/late\|\|control\|\|default$},
        'a variable read after the header makes no visitor');

    return;
}


# Where configurations put them.
sub variables
{
    my %user;

    for (1 .. 200) {
        my $user = newcomer();
        my ($variant) = $t->get('/app/x', 'X-User' => $user)
            ->header('X-Told') =~ /=(\w+)/;
        $user{$variant} ||= $user;
        last if keys %user == 2;
    }

    my %side = (control => 'left', one_page => 'right');

    for my $variant (sort keys %side) {
        my @who = ('X-User' => $user{$variant});

        is($t->get('/static/page.html', @who)->body, "static $variant",
            "$variant: root");
        like($t->get('/mapped/x', @who)->body,
            qr{uri=/app/$side{$variant}/$variant$},
            "$variant: map and proxy_pass");
        like($t->get('/keyed/page', @who)->body,
            qr/^variant=layout=$variant /, "$variant: proxy_cache_key");
        like($t->get('/keyed/page', @who)->body,
            qr/^variant=layout=$variant /, "$variant: from the cache");

        navigate('/return?logged', @who);
        ok(Ux::wait_until(sub { logged("/return?logged|$user{$variant}|") }),
            "$variant: log_format");
        is(logged("/return?logged|$user{$variant}|"),
            "/return?logged|$user{$variant}|$variant|view_item|split",
            "$variant: log_format says all of it");
    }

    navigate('/return?again', 'X-User' => $user{control});
    Ux::wait_until(sub { logged('/return?again|') });
    like(logged('/return?again|'), qr/\|cached$/,
        'a variant from the record has the reason cached');

    return;
}


# The line of the log that begins so.
sub logged
{
    my ($start) = @_;

    my ($line) = Ux::_read($t->dir . '/ux.log') =~ /^(\Q$start\E.*)\n/m;

    return $line;
}


# Each request of an active server once, in the class of its last status.
sub status_classes
{
    my $http = sub { $t->stats('/zones/shop')->{http} };
    my $before = $http->();
    my @user = ('X-User' => newcomer());

    navigate($_, @user) for ('/return', '/moved', '/app/fault', '/missing/x',
        '/chain/1', '/ssi/page.html', '/form/fault');
    Ux::wait_until(sub {
        $http->()->{requests} - $before->{requests} >= 7 });
    my $after = $http->();

    is($after->{requests} - $before->{requests}, 7,
        'http: each client request once');
    is_deeply([ map { $after->{status}{$_} - $before->{status}{$_} }
        qw(2xx 3xx 4xx 5xx client_abort) ], [ 4, 1, 1, 1, 0 ],
        'http: in the class of the status that was sent');

    return;
}
