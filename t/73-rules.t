#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# Rows of the list of faults that no other test has: odd ways to forge the
# variant header, requests without a header, answers that bear names of ours,
# a switch for staff, caches that an attacker fills, upstreams that never
# answer, connections that become tunnels, header buffers that are full, and
# what a visitor's record may hold.  t/reliability.txt says where the other
# rows are.

use strict;
use warnings;

use FindBin;
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
    backends => { APP => \&application, PAGES => \&page_of_a_variant },
    vars => { SILENT => '127.0.0.1:' . $silent->sockport },
    conf => configuration())->start;

forged_beside_the_header();
forged_by_http2();
requests_without_a_header();
names_in_an_answer();
staff_are_known_by_address();
upstreams_that_fail();
connections_that_are_upgraded();
caches_that_are_poisoned();
buffers_that_are_full();
zones_know_nothing_of_each_other();

$t->no_alerts;

records_hold_what_they_must();

done_testing();


sub configuration
{
    return <<'CONF';
underscores_in_headers on;
ignore_invalid_headers off;
large_client_header_buffers 4 8k;
proxy_cache_path %%DIR%%/cache keys_zone=cache:1m;

ux_zone shop 8m;
ux_zone other 4m;

ux_experiment layout {
    variant control  50;
    variant one_page 50;
}

ux_experiment far zone=other { variant a 1; variant b 1; }

geo $office { 10.0.0.0/8 1; }
geo $here   { 127.0.0.1 1; }
map "$office$arg_show" $show_office { "~^1(.+)$" $1; }
map "$here$arg_show"   $show_here   { "~^1(.+)$" $1; }

upstream retried {
    server %%SILENT%%;
    server 127.0.0.1:1;
}

server {
    listen 127.0.0.1:%%PORT%%;
    ux_visitor_key $http_x_user;
    ux_expose layout;
    add_header X-Told $ux_variants always;

    location /app/ { proxy_pass http://%%APP%%; }

    location /stream/ {
        proxy_pass http://%%APP%%;
        proxy_http_version 1.1;
        proxy_request_buffering off;
    }

    location /staff/office { ux_override $show_office; return 200; }
    location /staff/here   { ux_override $show_here;   return 200; }

    location /late/ {
        ux_event           view_item status=504;
        ux_event           add_to_cart status=200-503;
        proxy_read_timeout 200ms;
        proxy_pass         http://%%SILENT%%;
    }

    location /retried/ {
        ux_event            view_item status=5xx;
        proxy_read_timeout  200ms;
        proxy_next_upstream error timeout;
        proxy_pass          http://retried;
    }

    location /upgraded/ {
        ux_event           view_item status=101;
        proxy_http_version 1.1;
        proxy_set_header   Upgrade $http_upgrade;
        proxy_set_header   Connection upgrade;
        proxy_pass         http://%%APP%%;
    }

    location /cached/ {
        proxy_cache       cache;
        proxy_cache_key   $uri;
        proxy_pass        http://%%PAGES%%;
    }

    location /full/ {
        proxy_buffer_size 4k;
        proxy_pass        http://%%APP%%;
    }

    location /zone/shop  { ux_debug $http_x_debug; return 200; }
    location /zone/other {
        ux_expose far;
        ux_debug  $http_x_debug;
        return    200;
    }

    location /uxstats { ux_stats; }
}

server {
    listen 127.0.0.1:%%PORT_H2%% http2;
    ux_visitor_key $http_x_user;
    ux_expose layout;
    location / { proxy_pass http://%%APP%%; }
}

server {
    listen 127.0.0.1:%%PORT%%;
    server_name named.example;
    ux_cookie theirs;
    ux_expose layout;
    ux_debug  $http_x_debug;
    location / { proxy_pass http://%%APP%%; }
}
CONF
}


# By the last part of the path.
sub application
{
    my ($request) = @_;

    my ($word) = $request->{uri} =~ m{([^/?]*)(?:\?.*)?$};

    return (101, [ Upgrade => 'test' ], 'after the switch')
        if $word eq 'switch';
    return (200, [ 'X-UX-Debug' => 'theirs', 'X-UX-Variant' => 'theirs',
        'X-UX-Event' => 'view_item', 'Set-Cookie' => 'theirs=1; Path=/',
        'Set-Cookie' => 'ux=2; Path=/' ], 'names') if $word eq 'names';
    return (200, [ (map { ("X-Part-$_" => 'y' x 350) } 1 .. 10),
        'Content-Type' => 'text/html' ], 'whole') if $word eq 'headers';

    return (200, [], 'page');
}


sub page_of_a_variant
{
    my ($request) = @_;

    return (200, [ 'Cache-Control' => 'max-age=60', Vary => 'X-UX-Variant' ],
        join '+', $request->values('X-UX-Variant'));
}


# Nothing of a client's "forged" got to the application.
sub nothing_forged
{
    my ($name) = @_;

    my @requests = $t->backend('APP')->requests;
    my @forged = grep { "@{[ map { @$_ } @{ $_->{pairs} } ]} $_->{body}"
        =~ /forged/ } @requests;

    return is(scalar @forged, 0, "$name: does not reach the application");
}


# Behind a blank in the name, and behind the body.
sub forged_beside_the_header
{
    my $head = "Host: localhost\r\nAccept: text/html\r\n"
        . "User-Agent: $Ux::Connection::BROWSER\r\n";

    for my $name ("X-UX-Variant ", "X-UX-Variant\t", " X-UX-Variant",
        "X-UX-Variant\0")
    {
        my $shown = $name =~ s/[\t\0]/?/r;

        $t->backend('APP')->clear;
        $t->http("GET /app/x HTTP/1.1\r\n$head$name: layout=forged\r\n\r\n");
        nothing_forged("a name \"$shown\" with something around it");
    }

    for my $path ('/app/x', '/stream/x') {
        $t->backend('APP')->clear;

        my $answer = $t->http("POST $path HTTP/1.1\r\n$head"
            . "Transfer-Encoding: chunked\r\nTrailer: X-UX-Variant\r\n\r\n"
            . "3\r\na=b\r\n0\r\nX-UX-Variant: layout=forged\r\n\r\n");

        is($answer ? $answer->status : 'none', 200,
            "a trailer to $path: answered");
        nothing_forged("a trailer to $path");
        is_deeply([ $t->backend('APP')->last_request->values('X-UX-Variant') ],
            [ $answer->header('X-Told') ],
            "a trailer to $path: the application is told ours alone");
    }

    return;
}


sub forged_by_http2
{
    my @page = ('user-agent' => $Ux::Connection::BROWSER,
        accept => 'text/html');

    for my $name ('x-ux-variant', 'x_ux_variant', 'x.ux.variant',
        'X-UX-Variant', ':x-ux-variant')
    {
        $t->backend('APP')->clear;

        # nginx may end the stream without a word

        my ($body) = eval {
            local $SIG{ALRM} = sub { die "no answer\n" };
            alarm($name =~ /^x/ ? 10 : 1);
            Ux::Http2->get_all($t->port('PORT_H2'), [ '/app/x' ], @page,
                $name => 'layout=forged');
        };
        alarm 0;

        nothing_forged("HTTP/2, $name");
        is($body, 'page', "HTTP/2, $name: answered")
            if $name =~ /^x/;
        like($t->backend('APP')->last_request->value('X-UX-Variant') || '',
            qr/^layout=(?:control|one_page)$/,
            "HTTP/2, $name: the application is told ours")
            if $name =~ /^x/;
    }

    return;
}


# HTTP/0.9: nginx has no list of header lines that ours could be added to.
sub requests_without_a_header
{
    my @workers = $t->workers;

    $t->backend('APP')->clear;
    $t->http("GET /app/x\r\n");

    my $request = $t->backend('APP')->last_request;

    like($request && $request->value('X-UX-Variant') || '',
        qr/^layout=(?:control|one_page)$/,
        'HTTP/0.9: the application is told ours');
    is_deeply([ $t->workers ], \@workers, 'HTTP/0.9: the worker lives');

    return;
}


# What the application says under names of ours.
sub names_in_an_answer
{
    my $answer = $t->navigate('/names', 'X-Debug' => 1,
        Host => 'named.example');
    my @cookies = $answer->headers('Set-Cookie');

    is(scalar(my @debug = $answer->headers('X-UX-Debug')), 1,
        'an answer with X-UX-Debug: one');
    like($answer->header('X-UX-Debug'), qr/^visitor=/,
        'an answer with X-UX-Debug: ours');
    is(scalar(grep { /^theirs=/ } @cookies), 1,
        'an answer with our cookie: one');
    like((grep { /^theirs=/ } @cookies)[0], qr/^theirs=1\.[0-9a-f]{32}\./,
        'an answer with our cookie: ours');
    is_deeply([ grep { /^ux=/ } @cookies ], [ 'ux=2; Path=/' ],
        'an answer with a cookie of the default name: nothing of ours');
    is_deeply([ $answer->headers('X-UX-Variant') ], [ 'theirs' ],
        'an answer with X-UX-Variant: we send none, and take none');
    is_deeply([ $answer->headers('X-UX-Event') ], [],
        'an answer with X-UX-Event: taken out');

    return;
}


# The switch is what nginx says of the address, never what a client says.
sub staff_are_known_by_address
{
    my @said = ('X-Forwarded-For' => '10.1.2.3', Forwarded => 'for=10.1.2.3',
        'X-Real-IP' => '10.1.2.3');

    is($t->changes(sub { $t->navigate('/staff/office?show=layout:one_page',
        @said, 'X-User' => Ux::newcomer()) }), 'visitors 1',
        'a spoofed address: no override, counted as anybody');
    is($t->changes(sub { $t->navigate('/staff/here?show=layout:one_page',
        'X-User' => Ux::newcomer()) }), 'discarded.override 1',
        'the address itself: an override, not counted');

    for my $show ('layout:nothing', 'other:one_page', 'layout', ':', 'far:b',
        'layout:one_page:x', 'layout:' . 'x' x 4000)
    {
        is($t->changes(sub { $t->navigate("/staff/here?show=$show",
            'X-User' => Ux::newcomer()) }), 'visitors 1',
            'an override that says "' . substr($show, 0, 20)
            . '": ignored, counted as anybody');
    }

    return;
}


# However often nginx asks, one client asked once.
sub upstreams_that_fail
{
    my $http = sub { $t->stats('/zones/shop')->{http} };

    for my $case ([ '/late/x', 504 ], [ '/retried/x', 50 ]) {
        my ($path, $status) = @$case;
        my $before = $http->();
        my $answer;

        is($t->changes(sub { $answer = $t->navigate($path,
            'X-User' => Ux::newcomer()) }),
            'events.view_item 1, visitors 1',
            "$path, an upstream that fails: one exposure, one event");
        like($answer->status, qr/^$status/,
            "$path, an upstream that fails: answered");

        Ux::wait_until(sub {
            $http->()->{requests} > $before->{requests} });
        my $after = $http->();

        is($after->{status}{'5xx'} - $before->{status}{'5xx'}, 1,
            "$path, an upstream that fails: once in its class");
        is($after->{requests} - $before->{requests}, 1,
            "$path, an upstream that fails: one request");
    }

    return;
}


sub connections_that_are_upgraded
{
    my $connection = $t->connection;
    my $http = sub { $t->stats('/zones/shop')->{http} };
    my $before = $http->();
    my $answer;

    is($t->changes(sub {
        $connection->send($connection->request_text('GET', '/upgraded/switch',
            [ Accept => 'text/html', 'X-User' => Ux::newcomer(),
              Upgrade => 'test', Connection => 'upgrade' ]));
        $answer = $connection->read_response;
    }), 'events.view_item 1, visitors 1',
        '101: an exposure and an event like others');
    is($answer->status, 101, '101: answered');
    like($connection->read_all, qr/after the switch$/,
        '101: the tunnel is untouched');

    Ux::wait_until(sub { $http->()->{requests} > $before->{requests} });
    is($http->()->{requests} - $before->{requests}, 1, '101: one request');
    is($http->()->{status}{'1xx'} - $before->{status}{'1xx'}, 1,
        '101: in a class of its own');

    return;
}


# Attackers fill the cache first: with a header, a cookie and both forged.
sub caches_that_are_poisoned
{
    my (%seen, @wrong, @told);

    for my $n (1 .. 40) {
        my @forged = $n % 2 ? ('X-UX-Variant' => 'layout=one_page',
            'X_UX_Variant' => 'layout=control', Cookie => 'ux=1.'
            . 'f' x 32 . '.20000.' . '0' x 32) : ();
        my $answer = $t->navigate('/cached/page', @forged,
            'X-User' => Ux::newcomer());

        push @wrong, $answer->body
            if $answer->body ne $answer->header('X-Told');
        $seen{$answer->body}++;
    }

    @told = map { $_->values('X-UX-Variant') } $t->backend('PAGES')->requests;

    is("@wrong", '', 'a poisoned cache: everybody is given the own page');
    is_deeply([ sort keys %seen ], [ 'layout=control', 'layout=one_page' ],
        'a poisoned cache: there are two pages');
    is_deeply([ sort @told ], [ 'layout=control', 'layout=one_page' ],
        'a poisoned cache: each was made once, for whom it says');

    return;
}


# Headers that leave no byte of nginx's buffers free.
sub buffers_that_are_full
{
    my $answer = $t->navigate('/full/headers');

    is(scalar(grep { length $_->[1] == 350 } @{ $answer->{headers} }), 10,
        'a full answer: all of its headers');
    like($answer->header('Set-Cookie') || '', qr{^ux=1(?:\.[0-9a-f]+){3};[ ]
        Path=/;[ ]Max-Age=\d+;[ ]HttpOnly;[ ]SameSite=Lax$}x,
        'a full answer: our cookie, whole');
    like($answer->header('Vary') || '', qr/Cookie/, 'a full answer: Vary');
    is($answer->body, 'whole', 'a full answer: the body');

    my @large = map { ("X-Large-$_" => 'z' x 7900) } 1 .. 3;
    $t->backend('APP')->clear;
    $answer = $t->navigate('/app/x', @large);
    is($answer->status, 200, 'a full request: answered');

    my $request = $t->backend('APP')->last_request;
    is(scalar(grep { length $_->[1] == 7900 } @{ $request->{pairs} }), 3,
        'a full request: all of its headers');
    is($request->value('X-UX-Variant'), $answer->header('X-Told'),
        'a full request: and the variant');

    return;
}


# One name, two zones: hashes that tell nobody it is one.
sub zones_know_nothing_of_each_other
{
    my $ask = sub {
        my ($zone) = @_;
        my $said = $t->navigate("/zone/$zone", 'X-User' => 'one@shop.example',
            'X-Debug' => 1)->header('X-UX-Debug') || '';
        return ($said =~ /^visitor=([0-9a-f]{8}), keyed/)[0];
    };
    my $shop = $ask->('shop');

    like($shop, qr/^[0-9a-f]{8}$/, 'two zones: a hash is told');
    is($ask->('shop'), $shop, 'two zones: in one it stays');
    isnt($ask->('other'), $shop, 'two zones: the other has another');

    return;
}


# Hashes, times, masks of events, sums.  What is new here has to be looked at
# with the eyes of those whose record it is, and then written down.
sub records_hold_what_they_must
{
    my %allowed = (
        ux_cart_t => 'created_ms purchased lacking state furthest carried_in',
        ux_past_t => 'created_ms n cart furthest recovered',
        ux_pace_t => 'started_ms reached_ms mark',
        ux_track_t => 'arm moved waiting crossed error_seen visit npasts'
            . ' vitals segments exposed_ms events steps before stage'
            . ' answers totals counts carts paces pasts',
        ux_event_t => 'now_ms value id_hash event has_value currency',
        ux_visitor_t => 'key_id cookie_hash first_s last_s confirmed'
            . ' error_seen alias ntracks npending nids next_id pages'
            . ' post_failed post_hash post_ms vitals_full vitals ids tracks'
            . ' alias_id pending',
        ux_vital_seen_t => 'id mark',
    );
    my $header = Ux::_read(Ux::root() . '/src/ux_visitor.h');
    my %found;

    $header =~ s{/\*.*?\*/}{}gs;
    $found{$2} = $1 while $header =~ /typedef struct \{([^{}]*)\} (\w+);/g;

    is_deeply([ sort keys %found ], [ sort keys %allowed ],
        'the parts of a visitor\'s record are the known ones');

    for my $type (sort keys %allowed) {
        my @fields = ($found{$type} || '') =~ /(\w+)(?:\[\w+\])?;/g;
        is("@fields", $allowed{$type},
            "a visitor's record holds nothing new: $type");
    }

    return;
}
