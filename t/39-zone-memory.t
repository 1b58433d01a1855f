#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# A zone's memory: `nginx -t` says where it goes, to the byte, and 20,000
# visitors take none beyond it.

use strict;
use warnings;
no warnings 'portable';     # addresses have 64 bits

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use UxShopper;
use UxTest;


use constant { MIB => 1024 * 1024, VISITORS => 20000, GROWN_KIB => 512 };

my $sanitized = defined $ENV{TEST_NGINX_PRELOAD};

for my $case ([ 8, 1 ], [ 64, 4 ]) {
    my ($mib, $workers) = @$case;
    split_is_whole($mib, $workers);
}

told_on_a_terminal();
traffic_takes_nothing();

done_testing();


sub conf
{
    my ($size) = @_;

    return <<"EOF";
    ux_zone shop $size;
    ux_experiment layout { variant control 1; variant one 1; goal purchase; }
    ux_funnel checkout { step view_item; step purchase;
        cart view_item within=60m; }
    ux_segment device \$arg_device phone tablet;
    server {
        listen 127.0.0.1:%%PORT%%;
        keepalive_requests 100000;
        ux_expose all;
        location / { ux_event view_item; return 204; }
        location /uxstats { ux_stats; }
    }
EOF
}


# The lines that nginx prints of the zone: a hash.
sub told
{
    my ($text) = @_;

    my @lines = $text =~ /\[notice\].*?ux_zone "shop" (of .*) visitors/g;
    my %told;

    @told{qw(size counters own_used own shared_used shared names_used names
        visitors capacity)} = ($lines[-1] || '') =~ /^of\ (\d+)\ bytes:\ (\d+)
        \ bytes\ for\ counters\ \(workers'\ own:\ (\d+)\ of\ (\d+)\ used;
        \ shared:\ (\d+)\ of\ (\d+)\ used\),\ (\d+)\ of\ (\d+)\ used
        \ for\ names,\ (\d+)\ bytes\ for\ visitors,\ room\ for\ (\d+)/x;

    @told{qw(history points series hours days)} = $text =~ /\[notice\].*?
        ux_zone\ "shop":\ (\d+)\ bytes\ for\ history,\ room\ for\ (\d+)
        \ points:\ of\ (\d+)\ metrics\ of\ variants\ the\ last\ (\d+)\ hours
        \ and\ (\d+)\ days\ each/x;

    return \%told;
}


sub split_is_whole
{
    my ($mib, $workers) = @_;

    my $t = Ux::nginx(workers => $workers, conf => conf("${mib}m"),
        globals => 'error_log %%DIR%%/error.log notice;');
    my ($passed, $output) = $t->test_config($t->{conf});
    my $told = told($output);

    ok($passed, "${mib}m: nginx -t passes");
    is($told->{size}, $mib * MIB, "${mib}m: the size");
    is($told->{own} + $told->{shared}, $told->{counters},
        "${mib}m: counters are the workers' own and the shared ones");
    cmp_ok($told->{counters}, '<=', $mib * MIB / 2,
        "${mib}m: counters are at most half");

    cmp_ok($told->{history}, '<=', $mib * MIB / 128,
        "${mib}m: history is a 128th");
    cmp_ok($told->{history}, '>', $mib * MIB / 130, "${mib}m: and no less");
    cmp_ok(abs($told->{points} - ($told->{history} - 1024) / 40), '<', 2,
        "${mib}m: with as many points as fit");
    is("$told->{series} $told->{hours} $told->{days}", '6 72 120',
        "${mib}m: which is all of two variants and three metrics");

    my $sum = $told->{counters} + $told->{names} + $told->{history}
        + $told->{visitors};
    cmp_ok($sum, '<', $mib * MIB, "${mib}m: the parts are within it");
    cmp_ok($sum, '>', 0.85 * $mib * MIB, "${mib}m: and most of it");

    for my $part (qw(own shared names)) {
        cmp_ok($told->{"${part}_used"}, '<=', $told->{$part},
            "${mib}m: $part: no more used than there is");
        cmp_ok($told->{"${part}_used"}, '>', 0, "${mib}m: $part: used");
    }

    $t->start;
    my $zone = $t->stats('/zones/shop');
    is($zone->{size_bytes}, $told->{size}, "${mib}m: /uxstats: the size");
    is($zone->{visitors}{capacity}, $told->{capacity},
        "${mib}m: /uxstats: how many visitors");

    # another variant: as much more as it takes

    my $more = conf("${mib}m");
    $more =~ s/variant one 1;/variant one 1; variant two 1;/;
    my ($with) = told(($t->test_config($more))[1]);
    cmp_ok($with->{shared_used}, '>', $told->{shared_used},
        "${mib}m: one more variant uses more");
    is($with->{$_}, $told->{$_}, "${mib}m: and is given no more: $_")
        for qw(size counters names visitors capacity);
    $t->no_alerts;

    return;
}


# With the level that nginx has where error_log names none.
sub told_on_a_terminal
{
    my $t = Ux::nginx(conf => '');
    my $module = Ux::module();
    my (undef, $output) = $t->test_config("load_module $module;\n"
        . "error_log %%DIR%%/error.log;\npid %%DIR%%/nginx.pid;\n"
        . "events { }\nhttp {\n" . conf('8m') . "}\n", full => 1);

    is(told($output)->{size}, 8 * MIB, 'nginx -t says it at the usual level')
        or diag($output);

    return;
}


sub traffic_takes_nothing
{
    my $t = Ux::nginx(workers => 2, conf => conf('8m'),
        globals => 'error_log %%DIR%%/error.log notice;')->start;
    my $told = told($t->error_log);

    # what a worker takes once, it has then

    visitors($t, 600);

    my %before = map { $_ => memory($_) } $t->workers;
    visitors($t, VISITORS);
    my %after = map { $_ => memory($_) } $t->workers;

    is_deeply([ sort keys %after ], [ sort keys %before ],
        'the same workers');

    for my $pid (sort keys %before) {
        is($after{$pid}{zone}, $before{$pid}{zone}, 'as much is shared');
        is($after{$pid}{zone}, 8192, 'which is the zone');

        SKIP: {
            skip 'sanitizers keep memory of their own', 1 if $sanitized;
            cmp_ok($after{$pid}{own}, '<=', $before{$pid}{own} + GROWN_KIB,
                'a worker\'s own memory: no more than before');
        }
    }

    my $zone = $t->stats('/zones/shop');
    cmp_ok($zone->{visitors}{tracked}, '>', VISITORS * 0.9,
        'they are all there');
    is($zone->{size_bytes}, $told->{size}, 'the zone is as large as it was');
    is($zone->{visitors}{capacity}, $told->{capacity}, 'with the same room');

    ok($t->reload, 'a reload');
    is_deeply(told($t->error_log), $told,
        'uses what it used, to the byte');
    $t->no_alerts;

    return;
}


sub visitors
{
    my ($t, $n) = @_;

    UxShopper::visit($t->port, [ map { '/?device='
        . (qw(phone tablet x))[$_ % 3] } 1 .. $n ], clients => 2);

    return;
}


# KiB: what is shared with other processes, and what is not.
sub memory
{
    my ($pid) = @_;

    my $zone = 0;
    my ($own) = Ux::_read("/proc/$pid/status") =~ /^RssAnon:\s+(\d+)/m;

    for (Ux::_read("/proc/$pid/maps") =~ m{^(\w+-\w+) rw-s .*/dev/zero}mg) {
        my ($from, $to) = map { hex } split /-/;
        $zone = ($to - $from) / 1024 if $to - $from > $zone * 1024;
    }

    return { zone => $zone, own => $own };
}
