#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# X-UX-Event is heard in every kind of answer, whatever hides it and whatever
# becomes of the answer, but not from a cache; the client never sees it.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use UxCount;
use UxTest;


# Nobody listens here: the first server of a group that fails.
my $closed = Ux::free_port();

my $t = Ux::nginx(
    backends => { APP => \&application, BAD => \&broken,
        PHP => [ fastcgi => \&application ] },
    vars => { CLOSED => "127.0.0.1:$closed" },
    files => { 'page.html' => 'a page' },
    conf => <<'CONF')->start;
proxy_cache_path %%DIR%%/cache keys_zone=cache:1m;

ux_zone shop 8m;

ux_experiment layout {
    variant control  50;
    variant one_page 50;
    goal purchase;
}

upstream twice {
    server %%BAD%%;
    server %%APP%% backup;
}

upstream refused {
    server %%CLOSED%%;
    server %%APP%% backup;
}

server {
    listen 127.0.0.1:%%PORT%%;
    ux_visitor_key $http_x_user;
    ux_expose layout;
    add_header X-Cache $upstream_cache_status always;

    proxy_set_header X-Say $http_x_say;
    proxy_set_header X-Status $http_x_status;

    # X-UX-Event
    location /say/ { proxy_pass http://%%APP%%; }

    location /hidden/ {
        proxy_hide_header X-UX-Event;
        proxy_pass http://%%APP%%;
    }

    location /php/ {
        fastcgi_hide_header X-UX-Event;
        fastcgi_pass  %%PHP%%;
        fastcgi_param REQUEST_METHOD $request_method;
        fastcgi_param REQUEST_URI    $request_uri;
        fastcgi_param HTTP_X_SAY     $http_x_say;
    }

    location /accel/ { proxy_pass http://%%APP%%; }
    location /protected/ { internal; alias %%DIR%%/html/; }
    location @protected { return 200 named; }

    location /intercepted/ {
        proxy_intercept_errors on;
        error_page 404 500 503 /page.html;
        proxy_pass http://%%APP%%;
    }

    location /intercepted_twice/ {
        proxy_intercept_errors on;
        recursive_error_pages  on;
        error_page 500 = @again;
        proxy_pass http://%%APP%%;
    }

    location @again { proxy_pass http://%%APP%%; }

    location /retried/ {
        proxy_next_upstream http_500 error non_idempotent;
        proxy_pass http://twice;
    }

    location /refused/ { proxy_pass http://refused; }

    location /ignored/ {
        ux_expose  off;
        proxy_pass http://%%APP%%;
    }

    location = /page.html { }

    # answers of a cache
    location /cached/ {
        ux_event    view_item;
        proxy_cache cache;
        proxy_cache_key   $uri;
        proxy_cache_valid 200 404 1h;
        proxy_cache_bypass $http_x_bypass;
        proxy_pass http://%%APP%%;
    }

    location /stale/ {
        proxy_cache cache;
        proxy_cache_key   $uri;
        proxy_cache_use_stale error http_500 updating;
        proxy_cache_background_update on;
        proxy_pass http://%%APP%%;
    }

    location /on_error/ {
        proxy_cache cache;
        proxy_cache_key   $uri;
        proxy_cache_use_stale error http_500;
        proxy_pass http://%%APP%%;
    }

    location /revalidated/ {
        proxy_cache cache;
        proxy_cache_key   $uri;
        proxy_cache_revalidate on;
        proxy_pass http://%%APP%%;
    }

    location /uxstats { ux_stats; }
}
CONF

ways_to_the_client();
from_a_cache();

$t->no_alerts;

done_testing();


# Says X-Say, if given, with the status of X-Status.
sub application
{
    my ($request) = @_;

    my $say = ($request->values('X-Say'))[0];
    my $status = ($request->values('X-Status'))[0] || 200;
    my ($way) = $request->{uri} =~ m{^/(\w+)};
    my @say = defined $say ? ('X-UX-Event' => $say) : ();

    return (200, [ 'X-Accel-Redirect' => $request->{uri} =~ /named/
        ? '@protected' : '/protected/page.html', @say ], '')
        if $way eq 'accel';
    return (304, [ 'Cache-Control' => 'max-age=0', @say ], '')
        if $way eq 'revalidated' && $request->values('If-Modified-Since');

    return ($status, [
        $way eq 'stale' || $way eq 'on_error' || $way eq 'revalidated'
            ? ('Last-Modified' => 'Thu, 01 Jan 2026 00:00:00 GMT',
                'X-Accel-Expires' => 1) : (),
        @say ], 'said');
}


# Its answers are given up by proxy_next_upstream.
sub broken { return (500, [ 'X-UX-Event' => 'add_to_cart' ], '') }


# A visit of a newcomer.
sub visit
{
    my ($path, @headers) = @_;

    return $t->get($path, 'X-User' => Ux::newcomer(),
        Accept => 'text/html', @headers);
}


# What a newcomer's request changes, but for the newcomer.
sub recorded
{
    my ($path, @headers) = @_;

    return $t->changes(sub { visit($path, @headers) })
        =~ s/(?:, )?visitors 1//r;
}


# The client never sees it, and it is recorded whatever hides it.
sub ways_to_the_client
{
    my %way = (
        '/say/x'         => 'as it is',
        '/hidden/x'      => 'proxy_hide_header',
        '/php/x'         => 'fastcgi_hide_header',
        '/accel/x'       => 'X-Accel-Redirect',
        '/accel/named'   => 'X-Accel-Redirect to a named location',
        '/refused/x'     => 'the second server, the first not reached',
        '/ignored/x'     => 'ux_expose off',
    );

    for my $path (sort keys %way) {
        my ($response, $user) = (undef, Ux::newcomer());
        $t->navigate('/page.html', 'X-User' => $user);
        is($t->changes(sub { $response = $t->get($path, 'X-User' => $user,
            'X-Say' => 'view_item', Accept => 'text/html') }),
            'events.view_item 1', "$way{$path}: recorded");
        is($response->status, 200, "$way{$path}: answered");
        unlike($response->head, qr/X-UX-Event/i, "$way{$path}: removed");
    }

    for my $status (200, 204, 302, 304, 400, 404, 500, 503) {
        my $response;
        is($t->changes(sub { $response = visit('/say/x', 'X-Say' => 'purchase'
            . ';id=x', 'X-Status' => $status) }),
            'events.purchase 1, visitors 1', "status $status: recorded");
        is($response->status, $status, "status $status: answered");
        unlike($response->head, qr/X-UX-Event/i, "status $status: removed");
    }

    for my $status (404, 500, 503) {
        my $response;
        is($t->changes(sub { $response = visit('/intercepted/x',
            'X-Say' => 'view_item', 'X-Status' => $status) }),
            'events.view_item 1, visitors 1', "intercepted $status: recorded");
        is($response->body, 'a page', "intercepted $status: error_page");
        unlike($response->head, qr/X-UX-Event/i, "intercepted $status: "
            . 'removed');
    }

    is(recorded('/intercepted_twice/x', 'X-Say' => 'view_item',
        'X-Status' => 500), 'events.view_item 2',
        'two answers, each to an upstream request: both are heard');

    $t->backend($_)->clear for 'APP', 'BAD';
    is(recorded('/retried/x', 'X-Say' => 'view_item'),
        'events.view_item 1',
        'proxy_next_upstream: the answer that counts is heard, once');
    is(scalar(my @all = map { $t->backend($_)->requests } 'APP', 'BAD'), 2,
        'proxy_next_upstream: there were two');

    return;
}


sub from_a_cache
{
    my $ask = sub {
        my ($path, $state, $expected, @headers) = @_;
        my $response;
        is($t->changes(sub {
            $response = visit($path, 'X-Say' => 'purchase;id=a', @headers);
        }), $expected, "$state: what is counted");
        is($response->header('X-Cache'), $state, "$state: so it is");
        unlike($response->head, qr/X-UX-Event/i, "$state: removed");
        return;
    };
    my $said = 'events.purchase 1, visitors 1';
    my $kept = 'discarded.cached 1, visitors 1';

    $ask->('/cached/a', 'MISS', "events.purchase 1, events.view_item 1, "
        . 'visitors 1');
    $ask->('/cached/a', 'HIT', "discarded.cached 1, events.view_item 1, "
        . 'visitors 1');
    $ask->('/cached/a', 'BYPASS', "events.purchase 1, events.view_item 1, "
        . 'visitors 1', 'X-Bypass' => 1);

    $ask->($_, 'MISS', $said) for '/on_error/a', '/stale/a',
        '/revalidated/a';

    # they are fresh for a second
    my $expired = sub {
        my ($path, @headers) = @_;
        return Ux::wait_until(sub {
            $t->get($path, 'X-User' => 'watch', @headers)
                ->header('X-Cache') ne 'HIT';
        });
    };

    ok($expired->('/on_error/a', 'X-Status' => 500), 'the time is over');
    $ask->('/on_error/a', 'STALE', $kept, 'X-Status' => 500);
    $ask->('/on_error/a', 'EXPIRED', $said);

    # the first one of these is answered at once, and makes nginx ask again
    my %seen;
    Ux::wait_until(sub {
        my $response;
        my $changes = $t->changes(sub {
            $response = visit('/stale/a', 'X-Say' => 'purchase;id=a');
        });
        $seen{$changes} = 1;
        return $response->header('X-Cache') =~ /STALE|UPDATING/;
    });
    is_deeply([ keys %seen ], [ $kept ],
        'asked again in the background: said to nobody here');

    my ($changes, $state);
    Ux::wait_until(sub {
        $changes = $t->changes(sub {
            $state = visit('/revalidated/a', 'X-Say' => 'purchase;id=a')
                ->header('X-Cache');
        });
        return $state ne 'HIT';
    });
    is("$state: $changes", "REVALIDATED: $kept", 'REVALIDATED');

    return;
}
