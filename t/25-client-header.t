#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# What becomes of a request's header: the client's copies of the variant header
# go, under every name and spelling and wherever they stand, and nothing else.
# In a server that is not active nothing goes.  And what the variables say.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use UxCount;
use UxTest;

my $t = Ux::nginx(
    backends => { APP => \&application },
    files => {
        'control/static/page.html' => 'static control',
        'one_page/static/page.html' => 'static one_page',
    },
    conf => configuration())->start;

header_names();
header_positions();
servers_not_active();
variables();

$t->no_alerts;

done_testing();


sub configuration
{
    return <<'CONF';
proxy_cache_path %%DIR%%/cache keys_zone=cache:1m;

underscores_in_headers on;
ignore_invalid_headers off;

ux_zone shop 8m;

ux_experiment layout {
    variant control  50;
    variant one_page 50;
    goal purchase;
}

keepalive_requests 100000;

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

    location /app/ { ux_expose layout; proxy_pass http://%%APP%%; }
    location /off/ { ux_expose off; proxy_pass http://%%APP%%; }

    location = /return { ux_expose layout; ux_event view_item; return 200; }

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
    location /name/default/ {
        ux_expose  layout;
        proxy_pass http://%%APP%%/app/;
    }

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

    location /uxstats { ux_stats; }
}

# not active: the directives that are here make it not so
server {
    listen 127.0.0.1:%%PORT_N%%;
    ux_visitor_key $http_x_user;
    ux_header X-Exp-N;

    access_log %%DIR%%/ux.log ux;
    location / { proxy_pass http://%%APP%%/app/; }

    location /variables/ {
        add_header X-Told
            "$ux_visitor $ux_variant_layout $ux_reason_layout $ux_bot";
        proxy_pass http://%%APP%%/app/;
    }
}
CONF
}


sub application
{
    my ($request) = @_;

    return (200, [ 'X-UX-Event' => 'purchase' ], 'variant='
        . join('+', $request->values('X-UX-Variant'))
        . " uri=$request->{uri}");
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
        my $response = $t->navigate($path, 'X-User' => Ux::newcomer(), @forged,
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
    location / { proxy_pass http://@{[ $t->backend('APP')->address ]}; }
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

    # ours is added at the end, whatever became of the last part
    (@wrong, $checks) = ();
    for my $n (1, 15 .. 21, 35 .. 41) {
        my @own = map { ("X-H$_" => $_) } 1 .. $n;
        my $expected = seen_by_upstream($plain, '/app/x', @own);

        for my $at (0 .. $n) {
            my @headers = @own;
            splice @headers, 2 * $at, 0, 'X_UX_Variant' => 'forged';
            my $seen = seen_by_upstream($connection, '/app/x', @headers);
            $checks++;
            push @wrong, "$at of $n: $seen"
                if $seen !~ /^\Q$expected\E X-UX-Variant: layout=\w+$/
                || $seen =~ /forged/;
        }
    }
    is("@wrong", '', "$checks requests: the variant is added at the end");

    $stock->no_alerts('stock nginx: no alerts');

    return;
}


# All header lines, in order.
sub seen_by_upstream
{
    my ($connection, $path, @headers) = @_;

    $t->backend('APP')->clear;
    $connection->request('GET', $path, [ @headers ]) or return 'no answer';
    my $request = $t->backend('APP')->last_request;

    return join ' ', map { "$_->[0]: $_->[1]" } @{ $request->{pairs} };
}


sub servers_not_active
{
    my $connection = Ux::Connection->new($t->port('PORT_N'));
    my $user = Ux::newcomer();
    my @headers = (Accept => 'text/html', 'X-User' => $user,
        'X-UX-Variant' => 'a', 'x_ux_variant' => 'b', 'X-Exp-N' => 'c');
    my $response;

    is($t->changes(sub { $response = $connection->request('GET', '/x',
        \@headers) }), '', 'not active: counts nothing');
    is_deeply([ $t->backend('APP')->last_request->values('X-UX-Variant') ],
        [ 'a', 'b' ], 'not active: passes what the client says');
    is($t->backend('APP')->last_request->value('X-Exp-N'), 'c',
        'not active: under every name');
    is($response->set_cookie('ux'), undef, 'not active: no cookie');
    is($response->header('X-UX-Event'), 'purchase',
        'not active: and what the application says');

    is($t->changes(sub { $response = $connection->request('GET',
        '/variables/x', \@headers) }), '', 'not active: reading a variable '
        . 'counts nothing');
    my $told = $response->header('X-Told');
    like($told, qr/^$user (?:control|one_page) split 0$/,
        'not active: variables work');
    is($told, join(' ', $user, $t->get('/app/x',
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
    is($response->header('X-Told'), 'control default 0',
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
        my $user = Ux::newcomer();
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

        $t->navigate('/return?logged', @who);
        ok(Ux::wait_until(sub { logged("/return?logged|$user{$variant}|") }),
            "$variant: log_format");
        is(logged("/return?logged|$user{$variant}|"),
            "/return?logged|$user{$variant}|$variant|view_item|split",
            "$variant: log_format says all of it");
    }

    $t->navigate('/return?again', 'X-User' => $user{control});
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
