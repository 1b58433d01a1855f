#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# A reload loses nothing: numbers follow the names of experiments, variants,
# funnels and events, visitors keep their variant, a reload that fails changes
# nothing, and under load no request fails and none is counted wrongly.
#
# Visitors are known by a key, so each is confirmed by its first request.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use IO::Socket::INET;
use Test::More;
use Time::HiRes ();
use UxScale;
use UxTest;

use constant { RELOADS => UxScale::count('RELOADS', 100), CLIENTS => 4 };


# What the reloads of this test are refused for, and say so.
my $REFUSED = qr/\[emerg\] .*(?:bind\(\)|still\ could\ not\ bind
    |unknown\ directive|ux_event|ux_experiment|expected)/x;

UxScale::run(qw(
    numbers_are_kept
    numbers_follow_names
    sticky_is_obeyed
    funnels_and_events_are_added
    refused_reloads_change_nothing
    requests_across_a_reload_make_one_visitor
    workers_come_and_go
    a_worker_without_room_serves
    reloads_under_load_lose_nothing
));

done_testing();


# A configuration; experiments as [name => "lines"], in order.
sub conf
{
    my (%option) = @_;

    my $size = $option{size} || '16m';
    my @experiments = @{ $option{experiments}
        || [ [ layout => [ control => 50, one => 30, two => 20 ] ] ] };
    my $conf = "ux_zone shop $size;\n";

    for my $experiment (@experiments) {
        my ($name, $variants, $lines) = @$experiment;
        my @variants = @$variants;
        $conf .= "ux_experiment $name {\n";
        while (my ($variant, $weight) = splice @variants, 0, 2) {
            $conf .= "    variant $variant $weight;\n";
        }
        $conf .= '    ' . ($lines || '') . "\n    goal purchase;\n"
            . "    window off;\n}\n";
    }

    $conf .= $option{funnel} || <<'CONF';
ux_funnel checkout {
    step view_item;
    step add_to_cart;
    step purchase;
    cart add_to_cart within=60m;
}
CONF

    my $extra = $option{server} || '';
    my $told = join '', map { "    add_header X-\u$_->[0] "
        . "\"\$ux_variant_$_->[0] \$ux_reason_$_->[0]\" always;\n" }
        @experiments;

    return $conf . <<"CONF";
server {
    listen 127.0.0.1:%%PORT%%;
    ux_visitor_key \$http_x_user;
    ux_expose all requests=any;
$told$extra
    location / { return 204; }
    location /view { ux_event view_item; return 204; }
    location /cart { ux_event add_to_cart; return 204; }
    location /buy  { ux_event purchase value=\$arg_value; return 204; }
    location /uxstats { ux_stats; }
}
CONF
}


sub start { return Ux::nginx(workers => 2, conf => conf(@_))->start }


# The variant that each visitor is told, and the reason.
sub visit
{
    my ($t, $path, @users) = @_;

    my %told;
    my $connection = $t->connection;

    for my $user (@users) {
        my $response = $connection->request('GET', $path,
            [ 'X-User' => $user ]);
        die "$path of $user failed\n"
            unless $response && $response->status == 204;
        ($told{$user}, $told{"$user why"})
            = split / /, $response->header('X-Layout') || '';
    }

    return \%told;
}


# A zone's numbers once `requests` are in the log-phase ones, less what moves
# with the clock.
sub numbers
{
    my ($t, $requests) = @_;

    Ux::wait_until(sub {
        $t->stats('/zones/shop/http/requests') >= $requests })
        if defined $requests;
    $t->rest;

    my $zone = $t->stats('/zones/shop');
    delete $_->{runtime_seconds} for values %{ $zone->{experiments} };

    return $zone;
}


sub variants
{
    my ($t, $experiment) = @_;

    return $t->stats('/zones/shop/experiments/' . ($experiment || 'layout'))
        ->{variants};
}


sub users { return map { "$_[0]-$_" } 1 .. $_[1] }


sub numbers_are_kept
{
    my $t = start();
    my @users = users('kept', 40);

    visit($t, '/view', @users);
    visit($t, '/cart', @users[0 .. 19]);
    visit($t, '/buy?value=1.25', @users[0 .. 9]);
    my $before = numbers($t, 70);

    is($before->{events}{purchase}, 10, 'kept: there is something to keep');
    ok($t->reload, 'kept: reloaded');
    is_deeply(numbers($t), $before, 'kept: every number is as it was');
    is(scalar @{ $before->{experiments}{layout}{epochs} }, 1,
        'kept: one epoch');

    my $told = visit($t, '/view', @users);
    is_deeply([ grep { $told->{"$_ why"} ne 'cached' } @users ], [],
        'kept: everybody is recognized');

    my $after = numbers($t, 110);
    is($after->{visitors}{tracked}, 40, 'kept: no record was made anew');
    is($after->{events}{view_item}, 80, 'kept: counting goes on');
    is_deeply([ map { $after->{experiments}{layout}{variants}{$_}{visitors} }
        qw(control one two) ],
        [ map { $before->{experiments}{layout}{variants}{$_}{visitors} }
        qw(control one two) ], 'kept: nobody is counted twice');

    for (1 .. 3) {
        $t->reload or fail('kept: reloaded again');
    }
    is_deeply(numbers($t), $after, 'kept: over three more reloads');

    $t->no_alerts('kept: no alerts');

    return;
}


sub numbers_follow_names
{
    my @weights = (control => 50, one => 30, two => 20);
    my $t = start(experiments => [ [ layout => \@weights ],
        [ banner => [ off => 1, on => 1 ] ] ]);
    my @users = users('name', 60);
    my $told = visit($t, '/buy?value=2', @users);
    my $before = numbers($t, 60)->{experiments};
    my $epochs = sub {
        scalar @{ $t->stats('/zones/shop/experiments/layout/epochs') } };
    my $again = sub {
        my ($what, @experiments) = @_;
        ok($t->reload(conf => conf(experiments => \@experiments)),
            "names: $what: reloaded");
        return numbers($t)->{experiments};
    };

    # order says nothing but who is the control
    my $now = $again->('re-ordered', [ banner => [ off => 1, on => 1 ] ],
        [ layout => [ control => 50, two => 20, one => 30 ] ]);
    is_deeply($now, $before, 'names: re-ordered: every number is as it was');
    is($epochs->(), 1, 'names: re-ordered: no new epoch');

    # other weights
    $now = $again->('re-weighted',
        [ layout => [ control => 10, one => 30, two => 60 ] ],
        [ banner => [ off => 1, on => 1 ] ]);
    is($epochs->(), 2, 'names: re-weighted: a new epoch');
    is($now->{layout}{epoch}, 2, 'names: re-weighted: is the current one');
    is_deeply([ map { $_->{weights} } @{ $now->{layout}{epochs} } ],
        [ { control => 50, one => 30, two => 20 },
          { control => 10, one => 30, two => 60 } ],
        'names: re-weighted: each epoch has its weights');
    is_deeply([ map { $_->{visitors} } @{ $now->{layout}{epochs} } ],
        [ 60, 0 ], 'names: re-weighted: visitors stay in their epoch');
    is_deeply($now->{banner}, $before->{banner},
        'names: re-weighted: the other experiment is as it was');
    is_deeply(visit($t, '/', @users), { %$told,
        map { ("$_ why" => 'cached') } @users },
        'names: re-weighted: everybody keeps the variant');
    visit($t, '/', users('late', 30));
    is_deeply([ map { $_->{visitors} } @{ $t->stats(
        '/zones/shop/experiments/layout/epochs') } ], [ 60, 30 ],
        'names: re-weighted: newcomers are of the new epoch');

    # one variant more
    my @kept = map { $_->{visitors} } @{ variants($t) }{qw(control one two)};
    $now = $again->('added', [ layout => [ @weights, three => 20 ] ],
        [ banner => [ off => 1, on => 1 ] ]);
    is_deeply([ map { $_->{visitors} }
        @{ $now->{layout}{variants} }{qw(control one two three)} ],
        [ @kept, 0 ], 'names: added: numbers follow the names');
    is($epochs->(), 3, 'names: added: a new epoch');
    is_deeply(visit($t, '/', @users), { %$told,
        map { ("$_ why" => 'cached') } @users },
        'names: added: everybody keeps the variant');

    # "two" gets another name: its visitors get another variant
    my @moved = grep { $told->{$_} eq 'two' } @users;
    $now = $again->('renamed', [ layout => [ control => 50, one => 30,
        second => 20 ] ], [ banner => [ off => 1, on => 1 ] ]);
    is_deeply([ map { $_->{visitors} }
        @{ $now->{layout}{variants} }{qw(control one second)} ],
        [ @kept[0, 1], 0 ], 'names: renamed: the new name starts at zero');
    my $other = visit($t, '/', @users);
    is_deeply([ grep { $other->{$_} ne $told->{$_} } @users ], \@moved,
        'names: renamed: only its own visitors change');
    cmp_ok(scalar @moved, '>', 3, 'names: renamed: there are some');
    is(numbers($t)->{experiments}{layout}{moved_visitors}, scalar @moved,
        'names: renamed: they are shown as moved');
    is(numbers($t)->{experiments}{layout}{crossover_visitors}, 0,
        'names: renamed: and are no crossovers');
    is_deeply([ map { $_->{visitors} }
        @{ variants($t) }{qw(control one second)} ], [ @kept[0, 1], 0 ],
        'names: renamed: and stay out of the others');

    # the old names come back, and an experiment goes and comes back
    $now = $again->('without the experiment', [ banner => [ off => 1,
        on => 1 ] ]);
    is_deeply([ map { $_->{visitors} }
        @{ $now->{layout}{variants} }{qw(control one two)} ], \@kept,
        'names: removed: its results stay for a while');
    visit($t, '/view', users('gone', 5));
    $now = $again->('put back', [ layout => \@weights ],
        [ banner => [ off => 1, on => 1 ] ]);
    is_deeply([ map { $_->{visitors} }
        @{ $now->{layout}{variants} }{qw(control one two)} ], \@kept,
        'names: put back: every variant has its visitors again');
    is($now->{layout}{variants}{two}{metrics}{purchase}{events},
        $before->{layout}{variants}{two}{metrics}{purchase}{events},
        'names: put back: and its events');

    $t->no_alerts('names: no alerts');

    return;
}


sub sticky_is_obeyed
{
    my $t = start(experiments => [ [ layout => [ control => 80, one => 20 ],
        'sticky off;' ] ]);
    my @users = users('sticky', 120);
    my $told = visit($t, '/', @users);
    my $before = variants($t);

    ok($t->reload(conf => conf(experiments => [ [ layout => [ control => 50,
        one => 50 ], 'sticky off;' ] ])), 'sticky off: reloaded');

    my $now = visit($t, '/', @users);
    my @moved = grep { $now->{$_} ne $told->{$_} } @users;
    my $share = @moved / @users;

    ok($share > 0.1 && $share < 0.6, 'sticky off: some are moved');
    is_deeply([ grep { $told->{$_} ne 'control' } @moved ], [],
        'sticky off: out of the one that takes fewer, into the other');

    my $after = $t->stats('/zones/shop/experiments/layout');
    is($after->{moved_visitors}, scalar @moved,
        'sticky off: they are shown as moved');
    is_deeply([ map { $after->{variants}{$_}{visitors} } qw(control one) ],
        [ map { $before->{$_}{visitors} } qw(control one) ],
        'sticky off: and stay in the counts of their first variant');

    visit($t, '/buy?value=1', @users);
    $after = $t->stats('/zones/shop/experiments/layout');
    is_deeply([ map { $after->{variants}{$_}{metrics}{purchase}{visitors} }
        qw(control one) ],
        [ map { $before->{$_}{visitors} } qw(control one) ],
        'sticky off: later events included');
    is($after->{moved_visitors}, scalar @moved,
        'sticky off: nobody is moved twice');

    $t->no_alerts('sticky off: no alerts');

    return;
}


sub funnels_and_events_are_added
{
    my $t = start(funnel => "\n");
    my @users = users('funnel', 30);

    visit($t, '/view', @users);
    visit($t, '/cart', @users[0 .. 9]);
    my $before = numbers($t, 40);

    ok($t->reload(conf => conf(funnel => <<'CONF', server => <<'SERVER')),
ux_funnel wishes {
    step view_item;
    step wish;
    step purchase;
    cart add_to_cart within=30m;
}
CONF
    location /wish { ux_event wish; return 204; }
SERVER
        'added: reloaded');

    my $now = numbers($t);
    is($now->{events}{wish}, 0, 'added: the event is there, at zero');
    is($now->{events}{view_item}, 30, 'added: the others are as they were');
    is(scalar @{ $now->{experiments}{layout}{epochs} }, 1,
        'added: no new epoch');

    visit($t, '/wish', @users[0 .. 14]);
    visit($t, '/cart', @users[5 .. 14]);
    visit($t, '/buy?value=3', @users[5 .. 9]);

    my @of = map { $_->{funnels}{wishes} } values %{ variants($t) };
    my $sum = sub {
        my ($read) = @_;
        my $sum = 0;
        $sum += $read->($_) for @of;
        return $sum;
    };

    is($t->stats('/zones/shop/events/wish'), 15, 'added: the event counts');
    is($sum->(sub { $_[0]{steps}[0]{visitors} }), 30,
        'added: a step that all did before');
    is($sum->(sub { $_[0]{steps}[1]{visitors} }), 15, 'added: the new step');
    is($sum->(sub { $_[0]{carts}{purchased} }), 5,
        'added: carts of known visitors are purchased');
    is($sum->(sub { $_[0]{carts}{created} - $_[0]{carts}{open}
        - $_[0]{carts}{purchased} - $_[0]{carts}{abandoned} }), 0,
        'added: no cart is lost');

    ok($t->reload(conf => conf(funnel => "\n")), 'dropped: reloaded');
    $now = numbers($t);
    is($now->{events}{add_to_cart}, 20, 'dropped: events go on');
    is_deeply($_->{funnels}, {}, 'dropped: the funnel is not shown')
        for values %{ $now->{experiments}{layout}{variants} };

    $t->no_alerts('added: no alerts');

    return;
}


sub refused_reloads_change_nothing
{
    my $t = start(size => '8m');
    my @users = users('refused', 30);
    my $told = visit($t, '/cart', @users);
    my $before = numbers($t, 30);
    my @workers = sort $t->workers;
    my $taken = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1,
        Proto => 'tcp') or die "no port: $!\n";
    my $busy = 'listen 127.0.0.1:' . $taken->sockport . ";\n";
    my @other = (experiments => [ [ layout => [ control => 1, new => 9 ] ],
        [ more => [ a => 1, b => 1 ] ] ]);

    my %bad = (
        'an unknown directive' => [ conf(size => '8m', @other) . 'nonsense;',
            qr/unknown directive/ ],
        'a bad weight' => [ conf(size => '8m', experiments => [ [ layout => [
            control => '-1', one => 1 ] ] ]), qr/-1/ ],
        'no room for its counters' => [ conf(size => '8m', experiments => [
            map { [ "e$_" => [ map { ("v$_" => 1) } 1 .. 10 ] ] } 1 .. 40 ]),
            qr/needs \d+ \w+.* room for \d+/ ],
        'a port in use' => [ conf(size => '8m', @other, server => $busy),
            qr/bind\(\) to 127\.0\.0\.1/, qr/still could not bind/ ],
        'another size and a port in use' => [ conf(size => '16m', @other,
            server => $busy), qr/bind\(\) to 127\.0\.0\.1/,
            qr/still could not bind/ ],
    );

    for my $what (sort keys %bad) {
        my ($conf, $pattern, $last) = @{ $bad{$what} };
        my $seen = length $t->error_log;

        ok(!$t->reload(conf => $conf), "refused: $what: no reload");
        Ux::wait_until(sub { substr($t->error_log, $seen) =~ $last })
            if $last;
        like(substr($t->error_log, $seen), $pattern,
            "refused: $what: it says why");
        is_deeply([ sort $t->workers ], \@workers,
            "refused: $what: the workers stay");
        is_deeply(numbers($t), $before,
            "refused: $what: every number is as it was");
        is_deeply(visit($t, '/', @users[0 .. 2]),
            { map { ($_ => $told->{$_}, "$_ why" => 'cached') }
            @users[0 .. 2] }, "refused: $what: visitors are as they were");
        $before = numbers($t, $before->{http}{requests} + 3);
    }

    ok($t->reload(conf => conf(size => '8m')), 'then: a good one passes');
    is_deeply(numbers($t), $before, 'then: with the numbers as they were');

    $t->no_alerts('refused: no alerts but the refusals',
        qr/$REFUSED|\[emerg\]/);

    return;
}


# An old worker has chosen the variant and waits for the application, while a
# new one, in a new epoch, exposes the same visitor.
sub requests_across_a_reload_make_one_visitor
{
    my $wait = sub {
        my ($request) = @_;
        my ($go) = map { $_->[1] } grep { $_->[0] eq 'X-Go' }
            @{ $request->{pairs} };
        Ux::wait_until(sub { -e $go });
        return (200, [ 'X-UX-Event' => 'purchase;value=1' ], 'at last');
    };
    my $server = 'location /slow { proxy_pass http://%%APP%%; }';
    my $t = Ux::nginx(backends => { APP => $wait }, conf => conf(server =>
        $server, experiments => [ [ layout => [ control => 1, one => 99 ] ] ])
        )->start;
    my $go = $t->dir . '/go';
    my $slow = $t->connection(timeout => 20);

    $slow->send(Ux::Connection->request_text('GET', '/slow',
        [ 'X-User' => 'straddler', 'X-Go' => $go ]));
    Ux::wait_until(sub { scalar $t->backend('APP')->requests });

    ok($t->reload(conf => conf(server => $server, experiments => [
        [ layout => [ control => 99, one => 1 ] ] ])), 'across: reloaded');
    my $told = visit($t, '/cart', 'straddler');

    Ux::_write($go, '');
    my $response = $slow->read_response;
    is($response && $response->status, 200,
        'across: the old worker finishes what it has');

    my $experiment = $t->stats('/zones/shop/experiments/layout');
    my ($assigned, $visitors, $purchases) = (0, 0, 0);
    for my $variant (values %{ $experiment->{variants} }) {
        $assigned += $variant->{assigned};
        $visitors += $variant->{visitors};
        $purchases += $variant->{metrics}{purchase}{visitors};
    }

    is($assigned, 1, 'across: assigned once');
    is($visitors, 1, 'across: one visitor');
    is($purchases, 1, 'across: who purchased once');
    is($experiment->{variants}{$told->{straddler}}{visitors}, 1,
        'across: in the variant first counted');
    is($experiment->{crossover_visitors}, 0, 'across: and no crossover');

    Ux::wait_until(sub { !$t->leaving });
    is(scalar $t->leaving, 0, 'across: the old worker is gone');
    $t->no_alerts('across: no alerts');

    return;
}


sub workers_come_and_go
{
    my $t = Ux::nginx(workers => 1, conf => conf())->start;
    my ($requests, $n) = (0, 0);

    for my $workers (4, 8, 20, 1, 8, 2) {
        ok($t->reload(workers => $workers), "workers: $workers");
        is(scalar $t->workers, $workers, "workers: $workers are there");

        Ux::parallel(CLIENTS, sub {
            my ($i) = @_;
            my $connection = $t->connection;
            for my $user (users("w$n-$i", 50)) {
                my $response = $connection->request('GET', '/cart',
                    [ 'X-User' => $user ]);
                die "no answer\n" unless $response->status == 204;
                $connection->close;
            }
            return;
        });
        $requests += CLIENTS * 50;
        $n++;

        my $numbers = numbers($t, $requests);
        is($numbers->{events}{add_to_cart}, $requests,
            "workers: $workers: every event");
        is($numbers->{http}{requests}, $requests,
            "workers: $workers: every request");
        is($numbers->{visitors}{tracked}, $requests,
            "workers: $workers: every visitor");
    }

    unlike($t->error_log, qr/without counting/, 'workers: none idle');
    $t->no_alerts('workers: no alerts');

    return;
}


# A zone too small for so many processes.
sub a_worker_without_room_serves
{
    my $t = Ux::nginx(workers => 24, conf => conf(size => '512k'))->start;
    my ($told, %seen);

    Ux::wait_until(sub { $t->error_log =~ /without counting/ });
    like($t->error_log, qr/"shop": .*without counting/,
        'no room: it is said');

    for my $i (1 .. 200) {
        my $response = $t->get('/cart', 'X-User' => 'u');
        $seen{ $response->status . ' '
            . (split / /, $response->header('X-Layout'))[0] }++;
        $response = $t->get('/uxstats/api/1/zones/shop/experiments/layout');
        $seen{'stats ' . $response->status}++;
    }

    is(scalar(grep { /^204 / } keys %seen), 1,
        'no room: every worker tells the same variant')
        or diag explain \%seen;
    is_deeply([ grep { /^stats/ } keys %seen ], [ 'stats 200' ],
        'no room: every worker shows the numbers');

    $t->no_alerts('no room: no alerts');

    return;
}


# Reloads, one of ten with other weights, while clients come on connections
# of their own for each request.
sub reloads_under_load_lose_nothing
{
    my $t = start(size => '64m');
    my $done = $t->dir . '/done';

    my @results = Ux::parallel(CLIENTS + 1, sub {
        my ($i) = @_;
        return reload_often($t, $done) if $i == CLIENTS;
        return shop_until($t, $i, $done);
    });

    my $reloads = pop @results;
    is($reloads->{done}, RELOADS, 'under load: that many reloads');
    is($reloads->{bad_stats}, 0, 'under load: the numbers were always there');

    my %sum;
    for my $result (@results) {
        $sum{$_} += $result->{$_} for keys %$result;
    }
    diag("$sum{requests} requests, $sum{visitors} visitors");

    is($sum{failed}, 0, 'under load: no request failed');
    cmp_ok($sum{requests}, '>', 10 * RELOADS, 'under load: there was load');

    Ux::wait_until(sub { !$t->leaving });
    my $numbers = numbers($t, $sum{requests});
    my @variants = values %{ $numbers->{experiments}{layout}{variants} };
    my ($visitors, $revenue, $created) = (0, 0, 0);
    for my $variant (@variants) {
        $visitors += $variant->{visitors};
        $revenue += $variant->{metrics}{revenue}{sum};
        $created += $variant->{funnels}{checkout}{carts}{created};
    }

    is($numbers->{http}{requests}, $sum{requests},
        'under load: every request is counted, once');
    is($numbers->{events}{$_}, $sum{$_},
        "under load: every $_ is counted, once")
        for qw(view_item add_to_cart purchase);
    is($numbers->{visitors}{contended_drop}, 0, 'under load: no drop');
    is($numbers->{visitors}{tracked}, $sum{visitors},
        'under load: a record for every visitor');
    is($visitors, $sum{visitors}, 'under load: every visitor is one');
    is($numbers->{experiments}{layout}{moved_visitors}, 0,
        'under load: none is moved');
    is($numbers->{experiments}{layout}{crossover_visitors}, 0,
        'under load: none crosses over');
    is($sum{changed}, 0, 'under load: nobody saw two variants');
    is(sprintf('%.2f', $revenue), sprintf('%.2f', $sum{purchase} * 0.5),
        'under load: revenue to the cent');
    is($created, $sum{carts}, 'under load: every cart');

    my $slope = slope(@{ $reloads->{kilobytes} });
    cmp_ok($slope, '<=', 0.1, 'under load: memory does not grow')
        if RELOADS >= 1000;

    my $lost = $sum{requests} - $numbers->{http}{requests};
    my $quiet = $t->no_alerts('under load: no alerts');
    UxScale::figure('reloads', reloads => $reloads->{done},
        acknowledged => $sum{requests}, 'failed' => $sum{failed},
        lost => $lost, 'servers with alerts' => $quiet ? 0 : 1,
        '% growth of the master in 100' => sprintf '%.3f', $slope);

    return;
}


# Percent that the later half of some numbers grows in a hundred steps, by
# least squares.
sub slope
{
    my @y = @_[@_ / 2 .. $#_];
    my ($n, $sx, $sy, $sxx, $sxy) = (scalar @y, 0, 0, 0, 0);

    return 0 if $n < 2;

    for my $x (0 .. $#y) {
        $sx += $x;
        $sy += $y[$x];
        $sxx += $x * $x;
        $sxy += $x * $y[$x];
    }

    my $step = ($n * $sxy - $sx * $sy) / ($n * $sxx - $sx * $sx);

    return 100 * $step / ($sy / $n) * 100;
}


sub reload_often
{
    my ($t, $done) = @_;

    my %result = (done => 0, bad_stats => 0, kilobytes => []);

    for my $n (1 .. RELOADS) {
        my $shift = int($n / 10) % 2 * 10;
        $result{done}++ if $t->reload(conf => conf(size => '64m',
            experiments => [ [ layout => [ control => 50 - $shift,
            one => 30 + $shift, two => 20 ] ] ]));
        my $stats = $t->get('/uxstats/api/1/zones/shop');
        $result{bad_stats}++ unless $stats && $stats->status == 200
            && eval { $stats->json->{events} };
        push @{ $result{kilobytes} },
            Ux::_read('/proc/' . $t->pid . '/status') =~ /^VmRSS:\s+(\d+)/m;
    }

    Ux::_write($done, '');

    return \%result;
}


sub shop_until
{
    my ($t, $client, $done) = @_;

    my (%told, %cart);
    my %result = (requests => 0, failed => 0, changed => 0, carts => 0,
        view_item => 0, add_to_cart => 0, purchase => 0);
    my @paths = ([ '/view', 'view_item' ], [ '/cart', 'add_to_cart' ],
        [ '/buy?value=0.5', 'purchase' ]);
    my $connection = $t->connection;
    my $end = time + 60 + RELOADS;

    for (my $n = 0; !-e $done && time < $end; $n++) {
        my $user = "$client-" . int($n / 7) % 900;
        my ($path, $event) = @{ $paths[$n % 3] };
        my $response = $connection->request('GET', $path,
            [ 'X-User' => $user ]);
        $connection->close;

        if (!$response || $response->status != 204) {
            $result{failed}++;
            next;
        }

        my ($variant) = split / /, $response->header('X-Layout');
        $result{changed}++ if ($told{$user} ||= $variant) ne $variant;
        $result{requests}++;
        $result{$event}++;
        $result{carts}++
            if $event eq 'add_to_cart' && !$cart{$user}++;
        delete $cart{$user} if $event eq 'purchase';
    }

    $result{visitors} = keys %told;

    return \%result;
}
