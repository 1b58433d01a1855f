#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# What /uxstats costs in instructions, a further experiment of 5 variants and
# 4 funnels and, by that, 50 of them.  A machine of today does 5 to 10 of them
# in a nanosecond: 50 ms are some 300 millions.

use strict;
use warnings;

use FindBin;
use Test::More;

use lib "$FindBin::Bin/lib";
use UxCostShop;


plan skip_all => 'valgrind is not there' if !Ux::has_callgrind();
plan skip_all => 'a sanitizer is no measure' if $ENV{TEST_NGINX_PRELOAD};

my @formats = ([ JSON => '/uxstats/api/1/', 160 ],
    [ metrics => '/uxstats/metrics', 165 ],
    [ page => '/uxstats/', 240 ],
    [ CSV => '/uxstats/export.csv', 35 ]);

my @few = costs(1);
my @many = costs(3);

for my $i (0 .. $#formats) {
    my ($name, $path, $most) = @{ $formats[$i] };
    my $each = ($many[$i] - $few[$i]) / 2;
    my $all = sprintf '%.0f', ($many[$i] + 47 * $each) / 1e6;

    cmp_ok($each, '>', 100000, "$name: an experiment is there");
    cmp_ok($all, '<=', $most, "$name of 50 experiments: at most $most "
        . 'million instructions');
    diag sprintf '%s: %d instructions an experiment, %d millions of 50',
        $name, $each, $all;
}

# A part costs what it shows

my ($part) = costs(3, '/uxstats/api/1/zones/shop/experiments/e3');
cmp_ok($part, '<', $many[0] / 2, 'one of three experiments: half at most');

done_testing();


# Instructions of each page, or of that path, with so many experiments.
sub costs
{
    my ($n, $path) = @_;

    my $t = Ux::cost(conf => conf($n));
    Ux::CostShop::secret($t->nginx);
    $t->start;

    $t->send(request('/n', 'Cookie: ux=' . Ux::CostShop::cookie($_)))
        for map { ($_, $_) } 1 .. 20;

    my @spent = map { $t->instructions(request($_->[1], 'Accept: '
        . ($_->[0] eq 'page' ? 'text/html' : '*/*')), warm => 1, short => 1,
        long => 2) } $path ? [ JSON => $path ] : @formats;
    $t->end;

    return @spent;
}


sub request
{
    my ($path, $header) = @_;

    return "GET $path HTTP/1.1\r\nHost: shop\r\n$header\r\n\r\n";
}


sub conf
{
    my ($n) = @_;

    return join '', "ux_zone shop 64m experiments=16;\n",
        "ux_secret %%DIR%%/secret;\n",
        (map { "ux_funnel checkout_$_ { step view_item; step add_to_cart; "
            . "step begin_checkout; step purchase; }\n" } 1 .. 4),
        (map { "ux_experiment e$_ { variant control 20; " . join('', map {
            "variant v$_ 20; " } 1 .. 4) . "}\n" } 1 .. $n), <<'EOM';
server {
    listen 127.0.0.1:%%PORT%%;
    access_log off;
    keepalive_requests 100000000;
    location = /n { ux_expose all; ux_event view_item; ux_event purchase;
                    return 204; }
    location /uxstats { ux_stats; }
}
EOM
}
