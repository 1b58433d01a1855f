#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# Kinds of requests, answers and connections: what is an exposure and what an
# event is decided by the rules, whatever the protocol, the status, the filters
# and the client's patience.

use strict;
use warnings;

use FindBin;
use IO::Select;
use IO::Socket::INET;
use lib "$FindBin::Bin/lib";

use Test::More;
use UxCount;
use UxHttp2;
use UxTest;

# It takes connections and never answers.
my $silent = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 64,
    Proto => 'tcp') or die "cannot listen: $@\n";

my $t = Ux::nginx(
    backends => { APP => \&application },
    vars => { SILENT => '127.0.0.1:' . $silent->sockport },
    files => {
        'file/page.html' => 'x' x 1000,
        'file/large.html' => 'x' x 1_000_000,
    },
    conf => configuration())->start;

answers_without_content();
errors_before_phases();
kinds_of_requests();
kinds_of_answers();
many_cookies();
clients_that_leave();
one_connection();
http2();
status_classes();

$t->no_alerts;

done_testing();


sub configuration
{
    return <<'CONF';
underscores_in_headers on;
ignore_invalid_headers off;

ux_zone shop 8m;

ux_experiment layout {
    variant control  50;
    variant one_page 50;
    goal purchase;
}

log_format ux '$request_uri|$ux_visitor|$status';

keepalive_requests 100000;

server {
    listen 127.0.0.1:%%PORT%%;

    access_log %%DIR%%/ux.log ux;
    ux_visitor_key $http_x_user;
    add_header X-Told $ux_variants always;
    add_header X-Visitor $ux_visitor always;
    proxy_intercept_errors on;

    # the upstream answers by the last part of the path
    location /app/ { ux_expose layout; proxy_pass http://%%APP%%; }

    location = /return  { ux_expose layout; ux_event view_item; return 200; }
    location = /moved   { ux_expose layout; ux_event view_item; return 302 /; }
    location = /denied  { ux_expose layout; deny all; }

    location = /dropped {
        ux_expose layout;
        ux_event  view_item status=100-599;
        return    444;
    }

    location = /nothing { ux_expose layout; ux_event view_item; return 204; }

    location /silent/ {
        ux_expose  layout;
        ux_event   view_item status=100-599;
        proxy_pass http://%%SILENT%%;
    }

    location /missing/ { ux_expose layout; root %%DIR%%/nowhere; }

    location /file/ {
        ux_expose layout;
        ux_event  view_item;
        root      %%DIR%%/html;
    }

    location /slow/ {
        ux_expose  layout;
        ux_event   view_item;
        limit_rate 20k;
        alias      %%DIR%%/html/file/;
        reset_timedout_connection on;
    }

    location /refused/ {
        ux_expose layout;
        ux_event  view_item status=403;
        deny      all;
    }

    location /filters/ {
        ux_expose  layout;
        gzip       on;
        gzip_types *;
        gzip_min_length 1;
        gunzip     on;
        sub_filter variant changed;
        sub_filter_types *;
        proxy_pass http://%%APP%%;
    }

    location /http2/ {
        ux_visitor_key $arg_user;
        ux_expose  layout;
        ux_event   view_item;
        return     200 "$arg_user $ux_visitor $ux_variant_layout";
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
CONF
}


# By the last part of the path.  The header that says which variant is told
# comes back in the body.
sub application
{
    my ($request) = @_;

    my ($word) = $request->{uri} =~ m{([^/?]*)(?:\?.*)?$};
    my $variant = join '+', $request->values('X-UX-Variant');

    return (500, [], 'fault') if $word eq 'fault';
    return (204, [], '') if $word eq '204';
    return (304, [], '') if $word eq '304';
    return (200, [ map { ('Set-Cookie' => $_) }
        (map { "c$_=$_; Path=/" } 1 .. 50), 'ux=theirs; Path=/',
        (map { "c$_=$_; Path=/" } 51 .. 100) ], 'variant')
        if $word eq 'cookies';

    return (200, [], "variant=$variant uri=$request->{uri}");
}


# No content handler, and so no precontent phase.
sub answers_without_content
{
    $t->one_request('return', '/return', 200,
        'events.view_item 1, visitors 1');
    $t->one_request('return of a redirect', '/moved', 302,
        'events.view_item 1, visitors 1');
    $t->one_request('return 204', '/nothing', 204,
        'events.view_item 1, visitors 1');
    $t->one_request('deny', '/denied', 403, 'visitors 1');
    $t->one_request('444: an exposure, no event', '/dropped', 'none',
        'visitors 1');

    my $user = Ux::newcomer();
    my $server = Ux::Connection->new($t->port('PORT_S'));
    my @headers = (Accept => 'text/html', 'X-User' => $user);
    my $response;

    is($t->changes(sub {
        $response = $server->request('GET', '/', \@headers);
    }), 'visitors 1', 'return in the server block: counted');
    like($response->body, qr/^server layout=\w+$/,
        'return in the server block: variables are there');

    $headers[-1] = Ux::newcomer();
    $server->close;
    is($t->changes(sub { $server->request('GET', '/', [ @headers,
        'X-Drop' => 1 ]) }), 'visitors 1',
        '444 in the server block: an exposure');

    return;
}


sub errors_before_phases
{
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
        my $response = $errors->read_response;
        ok($response, "$name: answered");
        like($response ? $response->body : '', qr{variant=layout=\w+ uri=},
            "$name: by the error's page, with a variant");
        $errors->close;
    }

    return;
}


sub kinds_of_requests
{
    is($t->changes(sub { $t->get('/app/x', 'X-User' => Ux::newcomer()) }), '',
        'no navigation: nothing is counted');
    is($t->changes(sub { $t->head('/app/x', 'X-User' => Ux::newcomer(),
        Accept => 'text/html') }), 'discarded.head 1',
        'HEAD of a page is no exposure');
    is($t->changes(sub { $t->head('/app/x', 'X-User' => Ux::newcomer()) }), '',
        'HEAD of no page is nothing');
    is($t->changes(sub { $t->navigate('/app/x', 'X-User' => Ux::newcomer(),
        'Sec-Purpose' => 'prefetch;prerender') }), 'discarded.prefetch 1',
        'a prefetch is no exposure');
    is($t->changes(sub { $t->navigate('/app/x', 'X-User' => Ux::newcomer(),
        'User-Agent' => 'Googlebot/2.1', 'Sec-Purpose' => 'prefetch') }),
        'discarded.bot 1', 'one reason is counted, the first');
    is($t->changes(sub { $t->get('/return', 'User-Agent' => '',
        Accept => 'text/html') }), 'discarded.bot 1',
        'a bot tells no event either');

    my $response = $t->http("GET /app/ok\r\n");
    ok($response, 'HTTP/0.9: answered');
    like($response->body, qr/^variant=layout=\w+ /, 'HTTP/0.9: proxied');

    my $user = Ux::newcomer();
    is($t->changes(sub { $response = $t->http("GET /app/ok HTTP/1.0\r\n"
        . "Accept: text/html\r\nUser-Agent: $Ux::Connection::BROWSER\r\n"
        . "X-User: $user\r\n\r\n") }), 'visitors 1',
        'HTTP/1.0 without Host: counted');
    like($response->body, qr/^variant=layout=\w+ /,
        'HTTP/1.0 without Host: proxied');

    is($t->changes(sub { $response = $t->http("GET http://other.example/app/ok"
        . " HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\nUser-Agent: "
        . "$Ux::Connection::BROWSER\r\nX-User: a$user\r\n\r\n") }),
        'visitors 1', 'absolute-form: counted');

    my $bytes = join '', map { "GET /app/ok HTTP/1.1\r\nHost: x\r\nAccept: "
        . "text/html\r\nUser-Agent: $Ux::Connection::BROWSER\r\n"
        . "X-User: p$user$_\r\n\r\n" } 1 .. 5;
    my $connection = $t->connection;
    my @visitors;
    is($t->changes(sub {
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
    my $file = $t->navigate('/file/page.html');
    my @etag = (headers => [ 'If-None-Match' => $file->header('ETag') ]);

    $t->one_request('304', '/file/page.html', 304,
        'events.view_item 1, visitors 1', @etag);
    $t->one_request('206', '/file/page.html', 206,
        'events.view_item 1, visitors 1', headers => [ Range =>
        'bytes=1-9' ]);
    $t->one_request('204 of an upstream', '/app/204', 204, 'visitors 1',
        told => 1);
    $t->one_request('304 of an upstream', '/app/304', 304, 'visitors 1',
        told => 1);
    $t->one_request('500 of an upstream', '/app/fault', 500, 'visitors 1',
        told => 1);

    my $response = $t->navigate('/file/page.html', @{ $etag[1] });
    is($response->status, 304, '304 for a new browser');
    ok(defined $response->set_cookie('ux'),
        'our Set-Cookie goes out on a 304, too');

    for my $path ('/app/fault', '/moved', '/nothing', '/denied',
        '/missing/x', '/app/304')
    {
        ok(defined $t->navigate($path)->set_cookie('ux'),
            "our Set-Cookie goes out on $path");
    }

    return;
}


# The upstream sets a hundred cookies, one of them under our name.
sub many_cookies
{
    my @expected = map { "c$_=$_; Path=/" } 1 .. 100;

    for my $path ('/app/cookies', '/filters/cookies') {
        for my $accept ('identity', 'gzip') {
            my $response = $t->navigate($path, 'Accept-Encoding' => $accept);
            my @cookies = $response->headers('Set-Cookie');
            my @ours = grep { /^ux=/ } @cookies;

            is_deeply([ grep { !/^ux=/ } @cookies ], \@expected,
                "$path, $accept: the application's cookies, in order");
            is(scalar @ours, 1, "$path, $accept: one of ours");
            like($ours[0], qr/^ux=1\.[0-9a-f]{32}\.\d+\.[0-9a-f]{32};/,
                "$path, $accept: which is ours indeed");
        }
    }

    return;
}


sub clients_that_leave
{
    my $connection;
    my $user = Ux::newcomer();
    my $before = $t->stats('/zones/shop/http/status');

    is($t->changes(sub {
        $connection = $t->connection;
        $connection->send(Ux::Connection->request_text('GET', '/silent/x',
            [ Accept => 'text/html', 'X-User' => $user ]));
        ok(IO::Select->new($silent)->can_read(10), 'the upstream is asked');
        my $upstream = $silent->accept;
        $connection->close;
        Ux::wait_until(sub { logged("/silent/x|$user|") });
    }), 'visitors 1', 'a client that left before the header: an exposure, '
        . 'no event');

    my $after;
    Ux::wait_until(sub {
        $after = $t->stats('/zones/shop/http/status');
        $after->{client_abort} > $before->{client_abort} });
    is_deeply([ map { $after->{$_} - $before->{$_} }
        qw(2xx 4xx 5xx client_abort) ], [ 0, 1, 0, 1 ],
        'a client that left before the header: told as one, and as 4xx');

    $user = Ux::newcomer();
    is($t->changes(sub {
        $connection = $t->connection;
        $connection->send("GET /app/ok HTTP/1.1\r\nHost: x\r\nX-User: $user"
            . "\r\nAccept: text/html\r\n");
        $connection->close;
    }), '', 'a client that left within its request: nothing');

    $user = Ux::newcomer();
    is($t->changes(sub {
        $connection = $t->connection;
        $connection->send(Ux::Connection->request_text('GET',
            '/file/page.html', [ Accept => 'text/html', 'X-User' => $user ]));
        $connection->close;
        Ux::wait_until(sub { logged("/file/page.html|$user|") });
    }), 'events.view_item 1, visitors 1',
        'a client that left at the header: all of it');

    $user = Ux::newcomer();
    is($t->changes(sub {
        $connection = $t->connection;
        $connection->send(Ux::Connection->request_text('GET',
            '/slow/large.html', [ Accept => 'text/html',
                'X-User' => $user ]));
        $connection->_fill;
        $connection->close;
        Ux::wait_until(sub { logged("/slow/large.html|$user|") });
    }), 'events.view_item 1, visitors 1',
        'a client that left within the body: all of it');

    # nginx reads and drops the body that it did not wait for
    my $response;
    is($t->changes(sub {
        $response = $t->post('/refused/x', 'x' x 500_000,
            Accept => 'text/html', 'X-User' => Ux::newcomer());
    }), 'events.view_item 1, visitors 1',
        'an answer before the request has ended: all of it');
    is($response->status, 403, 'an answer before the request has ended: read');

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
    is($t->changes(sub { $long = $run->(1000) }), 'events.view_item 1000',
        'a thousand requests of one connection: a thousand events');

    SKIP: {
        skip 'a sanitizer keeps what is freed', 1
            if ($ENV{TEST_NGINX_PRELOAD} || '') =~ /asan/;
        cmp_ok($long - $warm, '<=', 64, 'and no memory kept (kB)');
    }

    return;
}


sub anonymous_kb
{
    my ($pid) = @_;

    return (Ux::_read("/proc/$pid/status") =~ /^RssAnon:\s*(\d+)/m)[0];
}


sub http2
{
    my @bodies;

    is($t->changes(sub {
        @bodies = Ux::Http2->get_all($t->port('PORT_H2'),
            [ map { "/http2/x?user=stream$_" } 1 .. 128 ],
            'user-agent' => $Ux::Connection::BROWSER,
            'accept' => 'text/html');
    }), 'events.view_item 256, visitors 128',
        'HTTP/2: 128 streams at once, in two servers one behind the other');

    my @wrong = grep { ($bodies[$_ - 1] || 'none')
        !~ /^stream$_ stream$_ (?:control|one_page)$/ } 1 .. 128;
    is("@wrong", '', 'HTTP/2: each stream its own visitor');

    return;
}


# Each request of an active server once, in the class of its last status.
sub status_classes
{
    my $http = sub { $t->stats('/zones/shop')->{http} };
    my $before = $http->();
    my @user = ('X-User' => Ux::newcomer());

    $t->navigate($_, @user) for ('/return', '/moved', '/app/fault',
        '/missing/x', '/file/page.html', '/app/x', '/nothing');
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


# The line of the log that begins so.
sub logged
{
    my ($start) = @_;

    my ($line) = Ux::_read($t->dir . '/ux.log') =~ /^(\Q$start\E.*)\n/m;

    return $line;
}
