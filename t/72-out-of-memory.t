#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# The n-th allocation of a request fails, for every n: the site answers, or
# nginx answers 500 or closes as it does without us; the worker lives, and
# what is counted afterwards is right.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use UxMemory;
use UxTest;


my $memory = UxMemory->new
    or plan skip_all => 'no compiler, or another allocator is preloaded';

my $t = Ux::nginx(workers => 1, conf => <<'EOF', backends => {
    connection_pool_size 256;
    request_pool_size    256;
    ux_zone shop 1m;
    ux_experiment layout { variant control 1; variant b 1; }
    ux_experiment banner {
        variant control 1; variant c 1; target $http_accept;
    }
    ux_funnel buy { step add_to_cart; step purchase; cart add_to_cart; }
    ux_visitor_key $http_x_login;
    ux_override $arg_show;
    ux_exclude $arg_staff;
    ux_debug $arg_debug;

    server {
        listen 127.0.0.1:%%PORT%%;

        location / {
            ux_expose all;
            ux_event add_to_cart value=$arg_price id=$arg_id if=$arg_cart;
            add_header X-Seen "$ux_visitor $ux_variants $ux_reason_layout";
            expires 1h;
            proxy_pass http://%%APP%%;
        }

        location /asset { return 200 asset; }

        location /away {
            ux_expose all;
            error_page 404 =200 @else;
            return 404;
        }

        location @else {
            ux_event purchase;
            return 200 "else $ux_events";
        }

        location /uxstats { ux_stats; }
    }
EOF
    APP => sub { return (200, [ 'X-UX-Event' => 'purchase;value=5;id="o-'
        . time . '", view_item', Vary => 'X-UX-Variant' ], 'page') } })
    ->start;

my @page = (Accept => 'text/html');
my $cookie = $t->get('/', @page)->set_cookie('ux');
my ($worker) = $t->workers;

my @requests = (
    [ 'a new visitor'       => '/', @page ],
    [ 'a known one'         => '/', @page, Cookie => "ux=$cookie" ],
    [ 'with an event'       => '/?cart=1&price=2.5&id=7', @page,
                               Cookie => "ux=$cookie" ],
    [ 'a login that joins'  => '/?debug=1', @page, Cookie => "ux=$cookie",
                               'X-Login' => 'one' ],
    [ 'a forged header'     => '/', @page, 'X-UX-Variant' => 'layout=b',
                               'X-Ux-Variant' => 'layout=b' ],
    [ 'an override'         => '/?show=layout:b&debug=1', @page ],
    [ 'an error page'       => '/away', @page, Cookie => "ux=$cookie" ],
    [ 'an asset'            => '/asset', Cookie => "ux=$cookie" ],
    [ 'the statistics'      => '/uxstats' ],
);

for my $request (@requests) {
    my ($name, $path, @headers) = @$request;
    my ($answered, $refused, $n) = (0, 0, 0);
    my @odd;

    # the statistics take thousands: a sample of them
    my $step = $name =~ /statistics/ ? 37 : 1;

    for ($n = 1; $n <= 6000; $n += $step) {
        $memory->fail($n);
        my $answer = $t->connection->request('GET', $path,
            [ Connection => 'close', @headers ]);
        last if $memory->left > 0;

        if (!$answer || $answer->status == 500) { $refused++ }
        elsif ($answer->status =~ /^(?:200|502)$/) { $answered++ }
        else { push @odd, $n . ': ' . $answer->status }
    }
    $memory->fail(0);

    cmp_ok($n, '>', 3, "$name: allocations failed one by one");
    is("@odd", '', "$name: answered, or refused as nginx does");
    note "$name: $n points, $answered answered, $refused refused";
}

is_deeply([ $t->workers ], [ $worker ], 'the worker is that of the start');

my $before = $t->stats('/zones/shop');
my $fresh = $t->browser;

$fresh->go('/');
$fresh->go('/?cart=1');

my $after = $t->stats('/zones/shop');

is($after->{events}{add_to_cart}, $before->{events}{add_to_cart} + 1,
    'and counts on');
is(visitors($after), visitors($before) + 1, 'one more visitor');

$t->no_alerts('no alert but of memory',
    qr/(?:malloc|posix_memalign)\(.*\) failed|mmap\(|could not be|out of mem/);
done_testing();


sub visitors
{
    my ($zone) = @_;

    my $sum = 0;

    $sum += $_->{visitors}
        for values %{ $zone->{experiments}{layout}{variants} };

    return $sum;
}
