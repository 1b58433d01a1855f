#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# Faults that were found and mended: what each looked like, so that it does
# not come back.

use strict;
use warnings;

use FindBin;
use IO::Socket::INET;
use lib "$FindBin::Bin/lib";

use Test::More;
use UxClock;
use UxTest;

my $clock = UxClock->new or plan skip_all => 'no compiler for the clock';

my $t = Ux::nginx(
    backends => { APP => \&application },
    conf => configuration())->start;

no_read_within_a_turn();
an_alias_gone_meanwhile();
a_mirrored_beacon();
figures_in_a_page();
figures_behind_filters();

$t->no_alerts;

done_testing();


sub configuration
{
    return <<'CONF';
ux_zone shop 8m;

ux_experiment layout {
    variant control  50;
    variant one_page 50;
    goal purchase;
}

map $uri $agrees {
    default 1;
    /forget 0;
}

server {
    listen 127.0.0.1:%%PORT%%;

    ux_visitor_key $http_x_user;
    ux_consent     $agrees;

    location /api    { ux_expose layout; return 204;
                       add_header X-Reason $ux_reason_layout always; }
    location /forget { ux_expose layout; return 204; }

    location /app/ {
        ux_expose        layout;
        proxy_set_header X-Port $server_port;
        proxy_pass       http://%%APP%%;
    }

    location /uxstats { ux_stats; }
}
CONF
}


# /app/erased: before it answers, the visitor takes back the consent.
sub application
{
    my ($request) = @_;

    if ($request->{uri} eq '/app/erased') {
        my $socket = IO::Socket::INET->new(
            PeerAddr => '127.0.0.1:' . $request->value('X-Port'));
        print $socket "GET /forget HTTP/1.0\r\nHost: shop\r\n"
            . "User-Agent: Mozilla/5.0 (X11; Linux x86_64) Firefox/120.0\r\n"
            . "X-User: ann\r\n\r\n";
        local $/;
        my $answer = <$socket>;
    }

    return (200, [], 'page');
}


# "return" skips the phase in which variants are chosen.  They were chosen
# while the record was open for writing: the worker waited for itself, and
# took a visitor with a record for one without.
sub no_read_within_a_turn
{
    my $browser = $t->browser;

    $browser->go('/app/');
    $browser->go('/app/');

    is($browser->fetch('/api')->header('X-Reason'), 'cached',
        'a script behind "return" gets the variant of the record');

    return;
}


# A login known as another name of a visitor, which is a minute old, so that
# it is to be prolonged; but when the answer comes it is there no more, and
# no cookie says whom it named.  The worker died.
sub an_alias_gone_meanwhile
{
    my $browser = $t->browser;

    $browser->go('/app/');
    $browser->go('/app/', 'X-User' => 'ann');
    $clock->forward(120);

    is($t->get('/app/erased', 'X-User' => 'ann', Accept => 'text/html')
        ->status, 200, 'an alias erased while the upstream worked');

    return;
}


# A mirror had read the beacon before, and sends it on afterwards: the beacon
# was taken away from it, and the one it was mirrored to waited for a body.
sub a_mirrored_beacon
{
    my $m = Ux::nginx(backends => { COPY => sub { return (204, [], '') } },
        conf => <<'EOF')->start;
    ux_zone shop 4m;
    ux_experiment layout { variant control 1; variant one 1; }
    server {
        listen 127.0.0.1:%%PORT%%;
        location / { ux_expose all; return 200 page; }
        location = /beacon { mirror /copy; ux_collect; }
        location = /copy { internal; proxy_pass http://%%COPY%%; }
        location /uxstats { ux_stats; }
    }
EOF
    my $browser = $m->browser;
    my $body = '{"event":"add_to_cart"}';

    $browser->go('/') for 1, 2;
    is($m->post('/beacon', $body, 'Content-Type' => 'application/json',
        Cookie => 'ux=' . $browser->cookie('ux'))->status, 204,
        'a mirrored beacon: taken');
    ok(Ux::wait_until(sub { $m->backend('COPY')->requests == 1 }),
        'a mirrored beacon: is sent on');
    is($m->backend('COPY')->last_request->{body}, $body,
        'a mirrored beacon: with what is in it');
    is($m->stats('/zones/shop/events/add_to_cart'), 1,
        'a mirrored beacon: counts');
    $m->no_alerts;

    return;
}


# In a page that includes them they ended the page.
sub figures_in_a_page
{
    my $p = Ux::nginx(conf => <<'EOF')->start;
    ux_zone shop 4m;
    ux_experiment layout { variant control 1; variant one 1; }
    server {
        listen 127.0.0.1:%%PORT%%;
        root %%DIR%%;
        default_type text/html;
        location / { ux_expose all; ssi on; }
        location /uxstats { ux_stats; }
    }
EOF

    for my $path ('/uxstats', '/uxstats/metrics', '/uxstats/export.csv') {
        Ux::_write($p->dir . '/page.html',
            qq{before <!--#include virtual="$path" --> after});
        my $page = $p->get('/page.html');

        is($page && $page->status, 200, "$path in a page: there");
        like($page->body, qr/^before .*shop.* after$/s,
            "$path in a page: and what is behind it");
    }

    $p->no_alerts;

    return;
}


# Types with parameters were no types to other filters, which added theirs.
sub figures_behind_filters
{
    my $p = Ux::nginx(conf => <<'EOF')->start;
    ux_zone shop 4m;
    ux_experiment layout { variant control 1; variant one 1; }
    server {
        listen 127.0.0.1:%%PORT%%;
        charset utf-8;
        charset_types *;
        gzip on;
        gzip_types text/csv application/openmetrics-text;
        location / { ux_expose all; }
        location /uxstats { ux_stats; }
    }
EOF

    for my $path ('/uxstats/metrics', '/uxstats/export.csv') {
        my $type = $p->get($path)->header('Content-Type');
        my @charsets = $type =~ /charset=/g;

        is(scalar @charsets, 1, "$path: one charset in $type");
    }

    is($p->get('/uxstats/metrics', 'Accept-Encoding' => 'gzip')
        ->header('Content-Encoding'), 'gzip', 'figures: compressed by type');
    $p->no_alerts;

    return;
}
