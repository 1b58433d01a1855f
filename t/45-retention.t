#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# Records end: `inactive` after the last request, and at the age of
# `retention` however often the visitor comes.  And what may not steer where
# they lie, or get into a header.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use UxClock;
use UxTest;


my $DAY = 24 * 60 * 60;
my @page = (Accept => 'text/html');

SKIP: {
    my $clock = UxClock->new or skip 'no compiler for a clock', 8;
    my $t = Ux::nginx(conf => conf('retention=5d inactive=3d'))->start;

    ask($t, 'often');
    ask($t, 'once');

    for my $day (1 .. 4) {
        $clock->forward($DAY);
        sleep_for_the_clock($t);
        is(ask($t, 'often'), 'cached',
            "day $day: a visitor who comes is known");
    }
    is(ask($t, 'once'), 'split', 'one who stayed away for over 3 days is not');

    $clock->forward($DAY + 120);
    sleep_for_the_clock($t);
    is(ask($t, 'often'), 'split', 'and none is after 5 days');
    is(ask($t, 'often'), 'cached', 'it begins anew');
    $t->no_alerts('retention: no alerts');
}

my $t = Ux::nginx(conf => conf(''))->start;
my $odd = $t->get('/path%0d%0aSet-Cookie:%20evil=1?debug=1', @page,
    'X-Key' => '');

unlike($odd->head, qr/^Set-Cookie: evil/mi,
    'a line break in a variable makes no header line');
like($odd->header('X-UX-Debug'), qr/^visitor=[0-9a-f]{8}, keyed/,
    'and is told by its hash only');
my @known = map { $t->get('/x', @page, 'X-Key' => "k$_\r") } 1 .. 3;
ok(!(grep { $_ && $_->status >= 500 } @known), 'nor does one in a header');
$t->no_alerts;

done_testing();


sub conf
{
    my ($params) = @_;

    return <<"EOF";
    ux_zone shop 1m $params;
    ux_experiment layout { variant control 1; variant b 1; window 1h; }
    map \$http_x_key \$key { "" \$uri; default \$http_x_key; }
    ux_visitor_key \$key;
    ux_debug \$arg_debug;

    server {
        listen 127.0.0.1:%%PORT%%;
        location / { ux_expose all; return 200 \$ux_reason_layout; }
        location /uxstats { ux_stats; }
    }
EOF
}


sub ask
{
    my ($server, $key) = @_;

    return $server->get('/x', @page, 'X-Key' => $key)->body;
}


# A worker reads its clock when an event wakes it.
sub sleep_for_the_clock { $_[0]->get('/uxstats') for 1 .. 3; return }
