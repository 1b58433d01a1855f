#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# What is kept of a visitor: hashes, times, events and amounts.  The zone's
# own memory, the logs and the answers are searched for what requests said.

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
    'login'      => 'marked-login-4711@example.com',
    'order id'   => 'marked-order-4711',
    'language'   => 'x-marked4711',
);

my $t = Ux::nginx(workers => 2, globals => '', conf => <<'EOF');
    log_format none 'x';
    ux_zone shop 1m;
    ux_zone other 1m;
    ux_experiment layout { variant control 1; variant b 1; }
    ux_experiment far zone=other { variant control 1; variant b 1; }
    ux_funnel buy { step view_item; step purchase; cart view_item; }
    ux_visitor_key $http_x_login;

    server {
        listen 127.0.0.1:%%PORT%%;
        access_log off;

        location / {
            ux_expose layout;
            ux_event view_item;
            ux_event purchase value=12.34 id=$arg_order;
            return 200 "page\n";
        }

        location /far {
            ux_expose far;
            return 200 "$ux_visitor\n";
        }

        location /uxstats { ux_stats; }
    }
EOF
$t->start;

my @headers = ('User-Agent' => $said{'user agent'},
    Referer => $said{referer}, 'Accept-Language' => $said{language},
    Accept => 'text/html');
my $target = "$said{path}?$said{query}&order=$said{'order id'}";

my $first = $t->get($target, @headers);
my $cookie = $first->set_cookie('ux');
my ($id) = $cookie =~ /^1\.([0-9a-f]{32})\./;

ok($id, 'a visitor with a cookie');
unlike($first->header('Set-Cookie'), qr/Max-Age=(?!33696000)/,
    'for 390 days, under thirteen months');
is($t->get($target, @headers, Cookie => "ux=$cookie")
    ->header('Set-Cookie'), undef, 'that no visit extends');
$t->get($target, @headers, 'X-Login' => $said{login});
$t->get('/far', @headers, Cookie => "ux=$cookie");
$t->get('/far', @headers, 'X-Login' => $said{login});

my $stats = $t->get('/uxstats')->body;

my $zones = $t->stats->{zones};

is($zones->{shop}{visitors}{tracked}, 2, 'the cookie and the login are known');
is($zones->{shop}{events}{purchase}, 2, 'and what they bought');
is($zones->{other}{returned_after_eviction}, 0,
    'a cookie of another zone was not evicted from this one');

my %secret = (%said, 'cookie' => $cookie, 'cookie id' => $id);

unlike($stats, qr/\Q$secret{$_}\E/, "/uxstats does not tell the $_")
    for sort keys %secret;
unlike($t->error_log, qr/\Q$secret{$_}\E/, "the error log does not: $_")
    for sort keys %secret;

SKIP: {
    my $memory = zones_of(($t->workers)[0]);

    skip 'the memory of a worker cannot be read here', 4 + keys %secret
        if !defined $memory;

    # that the search finds what is there

    like($memory, qr/layout/, 'the zone is found: names are in it');
    like($memory, qr/view_item/, 'and events');

    unlike($memory, qr/\Q$secret{$_}\E/, "the zone does not hold the $_")
        for sort keys %secret;

    my $address = pack 'C4', 127, 0, 0, 1;
    my $raw = pack 'H*', $id;

    unlike($memory, qr/\Q$raw\E/, 'nor the id as bytes');
    unlike($memory, qr/127\.0\.0\.1/, 'nor an address');
}

$t->no_alerts;
done_testing;


# The shared anonymous memory of a process that holds our zones.
sub zones_of
{
    my ($pid) = @_;

    no warnings 'portable';    # addresses have more than 32 bits

    open my $maps, '<', "/proc/$pid/maps" or return;
    open my $mem, '<:raw', "/proc/$pid/mem" or return;
    my $found;

    while (my $line = <$maps>) {
        my ($from, $to) = $line =~ m{^(\w+)-(\w+) rw-s .*/dev/zero}
            or next;
        my $length = hex($to) - hex $from;

        next if $length < 1024 * 1024;
        my $left = $length;

        sysseek($mem, hex $from, 0) or return;

        while ($left > 0) {
            my $part;
            my $read = sysread $mem, $part, $left;

            return if !$read;
            $found .= $part;
            $left -= $read;
        }
    }

    return $found;
}
