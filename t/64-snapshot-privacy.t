#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# Whose consent is withdrawn is not in the next snapshot; and of nobody is
# there anything in the files but hashes, times, events and amounts.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use UxTest;


my %said = (
    'user agent' => 'Mozilla/5.0 (X11; Linux x86_64; rv:109.0) '
        . 'Gecko/20100101 Firefox/115.0 MarkedAgent4711',
    'path'       => '/marked-path-4711',
    'query'      => 'marked=query4711',
    'referer'    => 'https://marked-referer-4711.example/',
    'order id'   => 'marked-order-4711',
);

my $t = Ux::nginx(workers => 2, conf => <<'EOF');
    ux_zone shop 1m snapshot=%%DIR%%/state interval=200ms journeys=400ms;
    ux_experiment layout { variant control 1; variant b 1; }
    ux_funnel buy { step view_item; step purchase; cart view_item; }
    ux_consent $http_x_consent;

    server {
        listen 127.0.0.1:%%PORT%%;
        ux_expose layout;
        add_header X-Reason $ux_reason_layout always;

        location / {
            ux_event view_item;
            ux_event purchase value=12.34 id=$arg_order;
            return 200 "page\n";
        }

        location /uxstats { ux_stats; }
    }
EOF
$t->start;

my @headers = ('X-Consent' => 1, Referer => $said{referer});
my $path = "$said{path}?$said{query}&order=" . $said{'order id'};

my ($gone, $stays) = map { $t->browser(user_agent => $said{'user agent'}) }
    1 .. 2;

for my $browser ($gone, $stays) {
    $browser->go($path, @headers) for 1 .. 2;
}

my $cookie = $gone->cookie('ux');
is($t->stats('/zones/shop/visitors/tracked'), 2, 'two visitors');
ok(Ux::wait_until(sub { defined saved() }), 'both are saved');

my $before = saved();

$gone->go('/', 'X-Consent' => 0);
is($t->stats('/zones/shop/visitors/tracked'), 1, 'one withdrew');
ok(Ux::wait_until(sub { saved() != $before }),
    'visitors are saved anew');
nothing_is_told();

$t->stop;
$t->start;
is($t->stats('/zones/shop/visitors/tracked'), 1,
    'started again: one record was in the files');
nothing_is_told();

is($stays->go('/', @headers)->header('X-Reason'), 'cached',
    'who stayed is known');
$gone->cookie('ux', $cookie);
is($gone->go('/', @headers)->header('X-Reason'), 'split',
    'who withdrew is not, with the cookie of before');

$t->no_alerts('no alerts');

done_testing();


# The file of visitors: a new one each time.
sub saved
{
    my ($file) = glob $t->dir . '/state/shop.*.visitors';

    return defined $file ? (stat $file)[1] : undef;
}


sub nothing_is_told
{
    my $all = join '', map { Ux::_read($_) } glob $t->dir . '/state/*';
    my @ids = map { (split /\./)[1] } $cookie, $stays->cookie('ux');

    cmp_ok(length $all, '>', 1000, 'there are files');

    for my $what (sort keys %said) {
        is(index($all, $said{$what}), -1, "nothing of the $what in them");
    }

    # of one who is in them, and of one who is no more
    for my $id (@ids) {
        is(index($all, $id), -1, 'nor the id of a cookie');
        is(index($all, pack 'H*', $id), -1, 'nor its bytes');
    }

    is(index($all, '127.0.0.1'), -1, 'nor an address');

    return;
}
