#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# A reload that changes a zone's size while old workers are not done: what
# they count later follows, all of it and once, also through kills, a second
# reload, and visitors that go on in the new workers what they began in the
# old.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use IO::Socket::INET;
use Test::More;
use UxTest;

use constant VARIANTS => qw(control one two);


went_on();
twice();
tree_killed();
worker_killed();
before_the_first_save();
a_base_that_is_lost();
refused();
without_a_directory();
another_currency();

done_testing();


sub conf
{
    my (%option) = @_;

    my $size = $option{size} || '8m';
    my $snapshot = exists $option{snapshot} ? $option{snapshot}
        : 'snapshot=%%DIR%%/state interval=200ms journeys=200ms';
    my $more = $option{more} || '';
    my $currency = $option{currency} || 'EUR';

    return <<"CONF";
ux_zone shop $size $snapshot currency=$currency;
ux_experiment layout { variant control 50; variant one 30; variant two 20;
    window off; }
ux_funnel checkout {
    step view_item; step add_to_cart; step purchase;
    cart add_to_cart within=60m;
}
server {
    listen 127.0.0.1:%%PORT%%;
    $more
    ux_visitor_key \$http_x_user;
    ux_expose all requests=any;
    add_header X-Layout "\$ux_variant_layout \$ux_reason_layout" always;
    location / { ux_event view_item; return 204; }
    location /cart { ux_event add_to_cart; return 204; }
    location /buy { ux_event purchase value=\$arg_value; return 204; }
    location /uxstats { ux_stats; }
}
CONF
}


sub shop
{
    my (%option) = @_;

    return Ux::nginx(workers => 2, conf => conf(%option))->start;
}


sub users { return map { "$_[0]-$_" } 1 .. $_[1] }


sub visit
{
    my ($t, $path, @users) = @_;

    for my $user (@users) {
        my $response = $t->get($path, 'X-User' => $user);
        die "$path of $user failed\n"
            unless $response && $response->status == 204;
    }

    return;
}


# A worker has answered each of them, and has read a part of what comes next:
# it cannot end before that.
sub hold
{
    my ($t, $path, @users) = @_;

    my @held;

    for my $user (@users) {
        my $connection = $t->connection;
        $connection->send(
            $connection->request_text('GET', '/', [ 'X-User', $user ])
            . "GET $path HTTP/1.1\r\nHost: localhost\r\n"
            . "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) "
            . "Gecko/20100101 Firefox/128.0\r\nX-User: $user\r\n");
        my $response = $connection->read_response('GET');
        die "no answer for $user\n"
            unless $response && $response->status == 204;
        push @held, $connection;
    }

    return @held;
}


# How many were answered.
sub let_go
{
    my (@held) = @_;

    my $answered = 0;

    for my $connection (@held) {
        $connection->send("\r\n");
        my $response = $connection->read_response('GET');
        $answered++ if $response && $response->status == 204;
        $connection->close;
    }

    return $answered;
}


sub files { return map { s{.*/}{}r } sort glob $_[0]->dir . '/state/shop.*' }


sub incarnations
{
    my ($t) = @_;

    my %seen = map { /^shop\.([0-9a-f]{32})\.(?:counters|visitors)/
        ? ($1 => 1) : () } files($t);

    my @seen = sort keys %seen;

    return @seen;
}


sub all_taken_over
{
    my ($t, $what) = @_;

    return ok(Ux::wait_until(sub {
        my @files = files($t);
        return (1 == grep { /\.lock$/ } @files)
            && !grep { /\.base/ } @files;
    }, 30), "$what: one set of files is left, and no base");
}


# Every figure that the shop can know by itself.
sub check
{
    my ($t, $what, %expected) = @_;

    my $zone;
    Ux::wait_until(sub {
        $zone = $t->stats('/zones/shop');
        return $zone->{http}{requests} >= $expected{requests};
    });

    my ($sum, $visitors, $bought) = (0, 0, 0);
    for my $variant (@{ $zone->{experiments}{layout}{variants} }{+VARIANTS}) {
        $sum += $variant->{metrics}{revenue}{sum};
        $visitors += $variant->{visitors};
        $bought += $variant->{funnels}{checkout}{carts}{purchased};
    }

    return is_deeply({
        requests => $zone->{http}{requests},
        views => $zone->{events}{view_item},
        carts => $zone->{events}{add_to_cart},
        purchases => $zone->{events}{purchase},
        tracked => $zone->{visitors}{tracked},
        visitors => $visitors, revenue => $sum, bought => $bought,
        crossover => $zone->{experiments}{layout}{crossover_visitors},
    }, { crossover => 0, %expected }, "$what: every figure, exactly");
}


# 20 view, the first 10 have a cart.
sub begin
{
    my ($t) = @_;

    visit($t, '/', users('known', 20));
    visit($t, '/cart', users('known', 10));

    return;
}


# Those with a cart buy, half of them in the old worker and all in the new;
# strangers come to either, and to both.
sub went_on
{
    my $t = shop();
    begin($t);

    my @held = hold($t, '/buy?value=2', (users('known', 10))[0 .. 4],
        users('old', 5));
    push @held, hold($t, '/cart', (users('known', 20))[10 .. 14]);
    my $seen = length $t->error_log;
    ok($t->reload(conf => conf(size => '16m')), 'went on: reloaded');
    my $log = substr $t->error_log, $seen;
    like($log, qr/carried over.*follows when they have ended/,
        'went on: and said so');
    unlike($log, qr/is lost/, 'went on: nothing is lost');
    check($t, 'went on: at first', requests => 45, views => 35, carts => 10,
        purchases => 0, tracked => 25, visitors => 25, revenue => 0,
        bought => 0);
    ok((grep { /\.base$/ } files($t)), 'went on: there is a base');

    visit($t, '/buy?value=3', users('known', 10), (users('old', 5))[0, 1]);
    visit($t, '/', users('new', 4));
    is(let_go(@held), 15, 'went on: the old workers answer');

    all_taken_over($t, 'went on');

    # 10 carts of the base, 5 that the old worker saw: of these none is bought

    check($t, 'went on: in the end', requests => 76, views => 39,
        carts => 15, purchases => 22, tracked => 29, visitors => 29,
        revenue => 56, bought => 10);

    visit($t, '/buy?value=1', (users('known', 20))[10 .. 14]);
    check($t, 'went on: with carts of the old worker', requests => 81,
        views => 39, carts => 15, purchases => 27, tracked => 29,
        visitors => 29, revenue => 61, bought => 15);

    $t->stop;
    $t->start;
    check($t, 'went on: after a restart', requests => 81, views => 39,
        carts => 15, purchases => 27, tracked => 29, visitors => 29,
        revenue => 61, bought => 15);
    $t->no_alerts('went on: no alerts');

    return;
}


# 8m, 16m, 2m; the first ones end last, then first.
sub twice
{
    for my $last (0, 1) {
        my $what = 'twice, ' . ($last ? 'the first end last'
            : 'the first end first');
        my $t = shop();
        begin($t);

        my @first = hold($t, '/buy?value=2', users('known', 10));
        ok($t->reload(conf => conf(size => '16m')), "$what: reloaded");
        my @second = hold($t, '/buy?value=3', users('known', 20));
        ok($t->reload(conf => conf(size => '2m')), "$what: and again");
        visit($t, '/buy?value=5', users('known', 20));

        is(let_go($last ? @second : @first), $last ? 20 : 10,
            "$what: some are answered");
        visit($t, '/', users('new', 5));
        is(let_go($last ? @first : @second), $last ? 10 : 20,
            "$what: and the others");

        all_taken_over($t, $what);
        check($t, $what, requests => 30 + 30 + 50 + 5, views => 55,
            carts => 10, purchases => 50, tracked => 25, visitors => 25,
            revenue => 20 + 60 + 100, bought => 10);
        is($t->stats('/zones/shop/size_bytes'), 2 * 1024 * 1024,
            "$what: it has the last size");
        $t->no_alerts("$what: no alerts");
    }

    return;
}


# Both files of an incarnation have so many requests.
sub saved
{
    my ($t, $uuid, $requests) = @_;

    return ok(Ux::wait_until(sub {
        !grep { requests($t->dir . "/state/shop.$uuid.$_") != $requests }
            qw(counters visitors) }, 20), "saved: $requests requests");
}


# A cell of the zone, group 2, index 0; see ux_image_private.h.
sub requests
{
    my ($file) = @_;

    my $bytes = Ux::_read($file);
    return -1 if length $bytes < 704;

    for my $i (0 .. ord(substr $bytes, 19, 1) - 1) {
        my ($type, $n, $at) = unpack 'VVQ<', substr $bytes, 696 + 32 * $i, 16;
        next unless $type == 2;
        for my $k (0 .. $n - 1) {
            my ($owner, $group, $index, $value) = unpack 'VvvQ<',
                substr $bytes, $at + 16 * $k, 16;
            return $value if $owner == 0 && $group == 2 && $index == 0;
        }
    }

    return 0;
}


sub tree_killed
{
    my $t = shop();
    begin($t);

    my @held = hold($t, '/buy?value=2', users('known', 10));
    my @more = hold($t, '/buy?value=2', 'known-20');
    my ($old) = incarnations($t);
    ok($t->reload(conf => conf(size => '16m')), 'tree killed: reloaded');
    visit($t, '/buy?value=3', users('known', 20));
    is(let_go(@held), 10, 'tree killed: the old workers count');
    my @both = incarnations($t);
    is(scalar @both, 2, 'tree killed: both have files');

    saved($t, $old, 30 + 11 + 10);
    saved($t, (grep { $_ ne $old } @both), 30 + 11 + 20);

    $t->kill_tree;
    $t->start;
    all_taken_over($t, 'tree killed');
    check($t, 'tree killed', requests => 30 + 11 + 30, views => 31,
        carts => 10, purchases => 30, tracked => 20, visitors => 20,
        revenue => 80, bought => 10);

    # as after a crash between taking over and removing

    $t->stop;
    $t->start;
    check($t, 'tree killed: once more', requests => 30 + 11 + 30, views => 31,
        carts => 10, purchases => 30, tracked => 20, visitors => 20,
        revenue => 80, bought => 10);
    $_->close for @more;
    $t->no_alerts('tree killed: no alerts', qr/./);

    return;
}


sub worker_killed
{
    my $t = shop();
    begin($t);

    my @held = hold($t, '/buy?value=2', users('known', 10));
    my @more = hold($t, '/buy?value=2', users('known', 20));
    my ($old) = incarnations($t);
    ok($t->reload(conf => conf(size => '16m')), 'worker killed: reloaded');
    visit($t, '/buy?value=3', users('known', 20));
    is(let_go(@held), 10, 'worker killed: the old workers count');
    saved($t, $old, 30 + 30 + 10);

    my @leaving = $t->leaving;
    cmp_ok(scalar @leaving, '>=', 1, 'worker killed: there are old workers');
    kill 'KILL', @leaving;
    all_taken_over($t, 'worker killed');
    check($t, 'worker killed: what was saved', requests => 30 + 30 + 30,
        views => 50, carts => 10, purchases => 30, tracked => 20,
        visitors => 20, revenue => 80, bought => 10);
    $_->close for @more;
    $t->no_alerts('worker killed: no alert but of that',
        qr/exited on signal 9/);

    return;
}


# The base is nobody's then.
sub before_the_first_save
{
    my $t = shop();
    begin($t);

    my @held = hold($t, '/buy?value=2', users('known', 10));
    my ($old) = incarnations($t);
    ok($t->reload(conf => conf(size => '16m')), 'first save: reloaded');
    is(let_go(@held[0 .. 4]), 5, 'first save: the old workers count');
    saved($t, $old, 30 + 10 + 5);
    $t->kill_tree;
    unlink map { $t->dir . "/state/$_" } grep { !/^shop\.$old\./ } files($t);
    ok((grep { /\.base$/ } files($t)), 'first save: there is a base');

    $t->start;
    all_taken_over($t, 'first save');
    check($t, 'first save: the old one is taken whole',
        requests => 30 + 10 + 5, views => 30, carts => 10, purchases => 5,
        tracked => 20, visitors => 20, revenue => 10, bought => 5);
    $t->no_alerts('first save: no alerts', qr/./);

    return;
}


sub a_base_that_is_lost
{
    for my $kind ('gone', 'damaged') {
        my $t = shop();
        begin($t);

        my @held = hold($t, '/buy?value=2', users('known', 10));
        ok($t->reload(conf => conf(size => '16m')), "base $kind: reloaded");
        my ($base) = map { $t->dir . "/state/$_" } grep { /\.base$/ }
            files($t);
        my $bytes = Ux::_read($base);
        unlink $base;
        Ux::_write($base, substr($bytes, 0, -1) . '!') if $kind eq 'damaged';
        let_go(@held);

        all_taken_over($t, "base $kind");
        check($t, "base $kind: as of the reload", requests => 40,
            views => 30, carts => 10, purchases => 0, tracked => 20,
            visitors => 20, revenue => 0, bought => 0);
        like($t->error_log, qr/counted after a reload is lost: /,
            "base $kind: and that is said");
        $t->no_alerts("base $kind: no alerts");
    }

    return;
}


# The reload changes nothing, and the next one that does is exact.
sub refused
{
    my $t = shop();
    begin($t);

    my $port = Ux::free_port();
    my $other = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
        LocalPort => $port, Listen => 1, ReuseAddr => 1)
        or die "port $port: $!\n";
    my @held = hold($t, '/buy?value=2', users('known', 10));

    ok(!$t->reload(conf => conf(size => '16m',
        more => "listen 127.0.0.1:$port;")), 'refused: a port in use');
    close $other;
    is((grep { /\.base/ } files($t)), 0, 'refused: there is no base');
    ok(Ux::wait_until(sub { 1 == (() = incarnations($t)) }),
        'refused: nor another incarnation');

    is(let_go(@held[0 .. 4]), 5, 'refused: the workers go on');
    ok($t->reload(conf => conf(size => '2m')), 'refused: then another');
    is(let_go(@held[5 .. 9]), 5, 'refused: and the workers end');
    all_taken_over($t, 'refused');
    check($t, 'refused', requests => 50, views => 30, carts => 10,
        purchases => 10, tracked => 20, visitors => 20, revenue => 20,
        bought => 10);
    $t->no_alerts('refused: no alert but of that', qr/bind\(\)|still could/);

    return;
}


sub without_a_directory
{
    my $t = shop(snapshot => '');
    begin($t);

    my @held = hold($t, '/buy?value=2', users('known', 10));
    my $seen = length $t->error_log;
    ok($t->reload(conf => conf(snapshot => '', size => '16m')),
        'no directory: reloaded');
    like(substr($t->error_log, $seen),
        qr/\[warn\].*"shop": carried over as of now.*is lost/,
        'no directory: what is lost is said');
    let_go(@held);
    ok(Ux::wait_until(sub { !$t->leaving }), 'no directory: old workers end');
    check($t, 'no directory', requests => 40, views => 30, carts => 10,
        purchases => 0, tracked => 20, visitors => 20, revenue => 0,
        bought => 0);
    $t->no_alerts('no directory: no alerts');

    return;
}


# Amounts are not taken for what they are not: a zone of another size begins
# anew, one of the same says it.
sub another_currency
{
    for my $size ('8m', '16m') {
        my $what = 'currency, ' . ($size eq '8m' ? 'same' : 'another')
            . ' size';
        my $t = shop();
        begin($t);
        visit($t, '/buy?value=2', users('known', 10));
        my ($old) = incarnations($t);
        my $seen = length $t->error_log;
        ok($t->reload(conf => conf(currency => 'USD', size => $size)),
            "$what: reloaded");
        my $log = substr $t->error_log, $seen;

        if ($size eq '8m') {
            like($log,
                qr/\[warn\].*"shop": its amounts were in EUR and are taken /,
                "$what: that is said");
            $t->no_alerts("$what: no alerts");
            next;
        }

        like($log, qr/\[error\].*"shop": its amounts are in EUR, and in USD/,
            "$what: that is said");
        visit($t, '/buy?value=3', users('new', 2));
        $t->stop;
        ok((grep { /^shop\.$old\./ } files($t)), "$what: the old files stay");
        $t->start;
        check($t, $what, requests => 2, views => 0, carts => 0,
            purchases => 2, tracked => 2, visitors => 2, revenue => 6,
            bought => 0);
        like($t->error_log, qr/is in EUR, the zone in USD/,
            "$what: and is said of the files");
        $t->no_alerts("$what: no alerts");
    }

    return;
}
