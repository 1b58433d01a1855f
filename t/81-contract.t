#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# What a reader of the contract found missing once: more experiments than a
# record holds, a login that was seen but never assigned, cookies after a
# restart, words that must be variables.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use UxTest;


my @page = (Accept => 'text/html');

crowded();
seen_but_unassigned();
after_a_restart();
words_that_are_no_variables();
asked_not_to();
hosts_and_secure();

done_testing();


sub server
{
    my ($params, $more, $server) = @_;

    return <<"EOF";
    ux_zone shop 1m $params;
    ux_experiment e { variant control 1; variant b 1; }
    $more
    ux_funnel buy { step view_item; step purchase; cart view_item; }
    server {
        listen 127.0.0.1:%%PORT%%;
        $server
        location /x { ux_expose all; return 200 "\$ux_variants"; }
        location /uxstats { ux_stats; }
    }
EOF
}


# experiments=2 and three of them: the third is the control, and said so.
sub crowded
{
    my $t = Ux::nginx(conf => server('experiments=2',
        'ux_experiment g { variant control 1; variant b 1; }'
        . ' ux_experiment h { variant control 0; variant b 1; }',
        'ux_visitor_key $http_x_key;'
        . ' location /why { ux_expose all; return 200 $ux_reason_h; }'))
        ->start;
    my @told = map { $t->get('/x', @page, 'X-Key' => "k$_")->body } 1 .. 40;

    ok(!(grep { !/h=control$/ } @told), 'no room: the control, though it takes'
        . ' nobody') or diag "@told[0 .. 3]";
    ok((grep { /e=b/ } @told) && (grep { /g=b/ } @told),
        'no room: the first two are as ever');
    is($t->get('/why', @page, 'X-Key' => 'k1')->body, 'error',
        'no room: the reason is error');

    my $zone = $t->stats('/zones/shop');

    is($zone->{experiments}{h}{variants}{$_}{assigned}, 0,
        "no room: nobody is assigned to $_") for qw(control b);
    is($zone->{discarded}{zone_full}, 41, 'no room: counted as zone_full');
    $t->no_alerts('no room: no alerts');

    return;
}


# A key that told an event before anybody was assigned joins the cookie.
sub seen_but_unassigned
{
    my $t = Ux::nginx(conf => server('', '', 'ux_visitor_key $http_x_key;'
        . ' location /e { ux_event view_item; return 200 seen; }'))->start;
    my $first = $t->get('/x', @page);
    my $cookie = $first->set_cookie('ux');

    $t->get('/x', @page, Cookie => "ux=$cookie");
    $t->get('/e', @page, 'X-Key' => 'login');
    is($t->get('/x', @page, Cookie => "ux=$cookie", 'X-Key' => 'login')
        ->body, $first->body, 'joins: the variant of the cookie stays');
    is($t->get('/x', @page, 'X-Key' => 'login')->body, $first->body,
        'joins: the key alone has it as well');

    my ($variant) = $first->body =~ /e=(\w+)/;
    my $counts = $t->stats("/zones/shop/experiments/e/variants/$variant");

    is($counts->{visitors}, 1, 'joins: one visitor');
    $t->get('/e', @page, 'X-Key' => 'login');
    is($t->stats("/zones/shop/experiments/e/variants/$variant")
        ->{funnels}{buy}{steps}[0]{visitors}, 1,
        'joins: what the key does counts for it');
    $t->no_alerts('joins: no alerts');

    return;
}


# No record of what was known before a restart is no eviction.
sub after_a_restart
{
    my $t = Ux::nginx(conf => 'ux_secret keys;'
        . server('', '', ''));

    Ux::_write($t->dir . '/keys', "0123456789abcdef0123456789abcdef\n");
    chmod 0600, $t->dir . '/keys';
    $t->start;
    my $cookie = $t->get('/x', @page)->set_cookie('ux');
    $t->stop;
    $t->start;
    $t->get('/x', @page, Cookie => "ux=$cookie");

    my $zone = $t->stats('/zones/shop');

    is($zone->{visitors}{tracked}, 1, 'restart: the cookie is good');
    is($zone->{returned_after_eviction}, 0, 'restart: nobody was evicted');
    is_deeply($zone->{experiments}{e}{problems}, [], 'restart: no problem');
    $t->no_alerts('restart: no alerts');

    return;
}


sub words_that_are_no_variables
{
    my $t = Ux::nginx(conf => '');

    for my $line ('ux_consent word;', 'ux_override word;', 'ux_debug word;',
        'ux_exclude word;')
    {
        my ($ok, $output) = $t->test_config(server('', '', $line));
        ok(!$ok, "refused: $line");
        like($output, qr/"word".*variable/, "refused: $line, and why");
    }

    my ($ok, $output) = $t->test_config(server('', '',
        'location /e { ux_event purchase if=1; }'));
    ok(!$ok, 'refused: if=1');
    like($output, qr/"if=1".*variable/, 'refused: if=1, and why');

    return;
}


# Where nothing is exposed, Sec-GPC keeps the cookie from confirming.
sub asked_not_to
{
    my $t = Ux::nginx(conf => server('', '',
        'location /asset { return 200 asset; }'))->start;
    my $cookie = $t->get('/x', @page)->set_cookie('ux');
    my $asset = $t->get('/asset', Cookie => "ux=$cookie", 'Sec-GPC' => 1);

    like($asset->header('Set-Cookie') || '', qr/^ux=;.*Max-Age=0/,
        'Sec-GPC: an asset takes the cookie back');

    my $zone = $t->stats('/zones/shop');

    is($zone->{visitors}{tracked}, 0, 'Sec-GPC: the record is erased');
    is($zone->{experiments}{e}{variants}{$_}{visitors}, 0,
        "Sec-GPC: nobody is confirmed in $_") for qw(control b);
    $t->no_alerts('Sec-GPC: no alerts');

    return;
}


# Ports make no other site; some cookies are secure on http as well.
sub hosts_and_secure
{
    my $t = Ux::nginx(conf => server('', '', 'ux_cookie __Host-ux;'))->start;
    my $post = sub {
        return $t->connection->request('POST', '/x', [ @page,
            Host => 'shop.example', Origin => $_[0],
            'Content-Length' => 0 ]);
    };

    like($post->('http://shop.example:8080')->header('Set-Cookie') || '',
        qr/; Secure/, 'another port is no other site; __Host- is Secure');
    is($post->('http://shop.example.evil:8080')->header('Set-Cookie'), undef,
        'another host is');
    is($post->('null')->header('Set-Cookie'), undef, 'and so is "null"');
    $t->no_alerts('hosts: no alerts');

    return;
}
