#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# Further pages of somebody known change nothing of the visitor's record but
# when it was last seen, and take no turn of it; whatever else such a request
# does is told all the same.  Counts are exact, after every step.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use UxClock;
use UxTest;


use constant MINUTE => 60;

my $clock = UxClock->new or plan skip_all => 'no compiler for a clock';
my $t = Ux::nginx(conf => <<'EOF2')->start;
    ux_zone shop 4m;
    ux_experiment first { variant control 1; variant one 0; goal purchase; }
    ux_experiment second { variant control 1; variant one 0; goal purchase; }
    ux_funnel checkout { step add_to_cart; step purchase;
        cart add_to_cart within=60m; }

    server {
        listen 127.0.0.1:%%PORT%%;
        location / { ux_expose first; return 200 "page"; }
        location /second { ux_expose second; return 200 "page"; }
        location /both { ux_expose all; return 200 "page"; }
        location /cart { ux_expose first; ux_event add_to_cart;
            return 200 "page"; }
        location /fails { ux_expose first; return 503; }
        location /form { ux_expose first;
            if ($arg_fails) { return 503; } return 200 "page"; }
        location /off { ux_expose off; return 200 "page"; }
        location /uxstats { ux_stats; }
    }
EOF2

my $her = $t->browser;
my %first = map { $_ => 0 } qw(pages sessions single requests errors met
    carts retries);
my %second = %first;


# the first page confirms nobody, the second does

$her->go('/');
$her->go('/');
told('two pages', pages => 2, sessions => 1, requests => 2);

for my $n (3 .. 6) {
    $her->go('/');
    told("page $n", pages => 1, requests => 1);
}

$clock->forward(29 * MINUTE);
$her->go('/');
told('half an hour less a minute', pages => 1, requests => 1);

$clock->forward(29 * MINUTE);
$her->go('/');
told('and once more: the page before was seen', pages => 1, requests => 1);

$her->fetch('/');
told('what is no navigation is no page', requests => 1);

$her->go('/', 'Sec-Purpose' => 'prefetch');
told('nor is one that is prefetched', requests => 1);

$her->go('/off');
told('nothing is shown');

$her->go('/fails');
told('an error', pages => 1, requests => 1, errors => 1, met => 1);

$her->go('/fails');
told('another one', pages => 1, requests => 1, errors => 1);

$her->go('/');
$her->go('/cart');
told('an event', pages => 2, requests => 2, carts => 1);

$her->go('/cart');
told('a further one', pages => 1, requests => 1);
is($t->stats('/zones/shop/events')->{add_to_cart}, 2, 'both are counted');

$her->post('/fails', '');
$her->post('/', '');
$her->post('/fails', '');
told('forms', pages => 3, requests => 3, errors => 2);

$her->post('/fails', '');
told('sent again after an error', pages => 1, requests => 1, errors => 1,
    retries => 1);

$her->post('/form?fails=1', '');
$her->post('/form', '');
told('sent again with success', pages => 2, requests => 2, errors => 1,
    retries => 1);

$clock->forward(20 * MINUTE);
$her->fetch('/');
told('a look in between', requests => 1);

$clock->forward(20 * MINUTE);
$her->go('/');
told('goes on with the session', pages => 1, requests => 1);

$clock->forward(31 * MINUTE);
$her->go('/');
told('a new session', pages => 1, requests => 1, sessions => 1, single => 1);

$her->go('/');
told('which is not of one page', pages => 1, requests => 1, single => -1);

$her->go('/') for 1 .. 3;
told('and goes on', pages => 3, requests => 3);

# a second experiment, while the first is known

$her->go('/both');
$second{$_}++ for qw(pages sessions requests);
told('both, one of them new', pages => 1, requests => 1);

$her->go('/both');
$second{$_}++ for qw(pages requests);
told('both', pages => 1, requests => 1);

# a session that sees the second alone, and late the first

$clock->forward(31 * MINUTE);
$her->go('/second') for 1 .. 4;
$second{$_->[0]} += $_->[1] for [pages => 4], [sessions => 1], [requests => 4];
told('one of them for four pages');

$her->go('/');
told('now the other', pages => 1, requests => 1, sessions => 1);

$her->go('/');
told('and again', pages => 1, requests => 1);

is($t->stats('/zones/shop/visitors')->{tracked}, 1, 'one visitor');
$t->no_alerts;

done_testing();


# What came since the last time is this, and no more.
sub told
{
    my ($what, %more) = @_;

    $first{$_} += $more{$_} for keys %more;

    my $got = $t->stats('/zones/shop/experiments');

    is_deeply(figures($got->{first}), \%first, $what);
    is_deeply(figures($got->{second}), \%second, "$what: the other");

    return;
}


sub figures
{
    my ($experiment) = @_;

    my $v = $experiment->{variants}{control};

    return {
        pages => $v->{sessions}{pages},
        sessions => $v->{sessions}{sessions},
        single => $v->{sessions}{single_page},
        requests => $v->{http}{requests},
        errors => $v->{http}{errors},
        met => $v->{http}{error_visitors},
        retries => $v->{http}{retries},
        carts => $v->{funnels}{checkout}{steps}[0]{visitors},
    };
}
