package BenchZone;

# Copyright (C) the nginx-ux authors
#
# What a zone costs whoever looks at it.

use strict;
use warnings;

use Time::HiRes;

use BenchTime;
use UxCostShop;


# What /uxstats answers: a name, the path, Accept.
my @pages = (
    [ 'JSON', '/uxstats/api/1/', 'application/json' ],
    [ 'metrics', '/uxstats/metrics', 'text/plain' ],
    [ 'page', '/uxstats/', 'text/html' ],
);


# Milliseconds of the worker for each page, 50 experiments of 5 variants and 4
# funnels, with so many visitors: { 'JSON, 1000 visitors' => { median, ... } }.
sub pages
{
    my ($say, @visitors) = @_;

    my $nginx = Ux::nginx(conf => large(), workers => 1);
    my ($made, %row) = (0);

    Ux::CostShop::secret($nginx);
    $nginx->start;

    for my $n (@visitors) {
        BenchTime::fill($nginx, $n, $say, '/n');
        for my $page (@pages) {
            my ($name, $path, $accept) = @$page;
            my $range = page($nginx, $path, $accept) || next;
            $row{"$name, $n visitors"} = $range;
            $say->(sprintf '%s, %d visitors: %.1f ms (%.1f .. %.1f)', $name,
                $n, @$range{qw/ median least most /});
        }
    }
    $nginx->stop;

    return \%row;
}


# Looks a second apart: what is kept for a second is found anew.  Undef where
# there is no such page.
sub page
{
    my ($nginx, $path, $accept) = @_;

    my ($worker) = $nginx->workers;
    my (@ms, $json);

    for (0 .. 6) {
        Time::HiRes::sleep(1.05);
        my $start = BenchTime::cpu($worker);
        my $answer = $nginx->get($path, Accept => $accept);
        my $spent = (BenchTime::cpu($worker) - $start) / 1e6;

        $json = ($answer->header('Content-Type') || '') =~ /json/;
        return undef if $answer->status != 200
            || ($json && $accept !~ /json/);
        push @ms, $spent if $_;
    }

    return BenchTime::range(@ms);
}


sub large
{
    my $conf = "ux_zone shop 512m experiments=16;\n"
        . "ux_secret %%DIR%%/secret;\n";

    for my $f (1 .. 4) {
        $conf .= "ux_funnel checkout_$f { step view_item; step add_to_cart; "
            . "step begin_checkout; step purchase; }\n";
    }
    for my $e (1 .. 50) {
        $conf .= "ux_experiment e$e { variant control 20; "
            . join('', map { "variant v$_ 20; " } 1 .. 4) . "}\n";
    }

    return $conf . <<"EOM";
server {
    listen 127.0.0.1:%%PORT%%;
    access_log off;
    keepalive_requests 100000000;
    location = /n { ux_expose @{[ join ' ', map { "e$_" } 1 .. 8 ]};
                    return 204; }
    location /uxstats { ux_stats; }
}
EOM
}


1;
