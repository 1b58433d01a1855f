#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# Many workers, one zone: the same numbers whatever their number, one record a
# visitor however many hands touch it, nothing acknowledged lost when workers
# are killed, nobody held up when one stands still, and a full zone that
# serves everybody and accounts for everyone.
#
# A request whose visitor's bucket stays locked for more than a millisecond is
# served and its turn dropped, and counted as contended_drop.  A busy machine
# may hold a worker up in that place, so sums here are of events and drops,
# and the drops have a bound.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use Time::HiRes ();
use UxScale;
use UxTest;

use constant { CLIENTS => 4, KILLS => UxScale::count('KILLS', 30),
    FULL => UxScale::count('FULL', 20_000),
    FULL_SIZE => UxScale::count('FULL_KILOBYTES', 512) . 'k',
    FULL_CARTS => UxScale::count('FULL_CARTS', 100) };


UxScale::run(qw(
    one_two_and_four_workers_agree
    one_visitor_under_two_hands
    newcomers_in_a_crowd_are_one_each
    a_single_process_counts
    killed_workers_lose_nothing_acknowledged
    a_stopped_worker_holds_up_nobody
    a_full_zone_serves_and_accounts
    a_flood_of_strangers_drives_out_nobody
));

done_testing();


sub start
{
    my (%option) = @_;

    my $size = delete $option{size} || '8m';

    return Ux::nginx(workers => 2, %option, conf => <<"CONF")->start;
ux_zone shop $size;

ux_experiment layout {
    variant control  50;
    variant one_page 50;
    goal purchase;
    window off;
}

ux_funnel checkout {
    step view_item;
    step add_to_cart;
    step purchase;
    cart add_to_cart within=60m;
}

keepalive_requests 100000;

server {
    listen 127.0.0.1:%%PORT%% backlog=1024;
    ux_visitor_key \$http_x_user;
    ux_expose all;
    add_header X-Worker \$pid;

    location / { return 204; }
    location /view { ux_event view_item; return 204; }
    location /cart { ux_event add_to_cart; return 204; }
    location /buy  { ux_event purchase value=\$arg_value; return 204; }

    # who reads a variable changes nothing
    location /known {
        ux_expose off;
        add_header X-Reason \$ux_reason_layout;
        return 204;
    }

    location /uxstats { ux_stats; }
}
CONF
}


# One answered request of a visitor's navigation; false if there was none.
sub visit
{
    my ($connection, $path, $user) = @_;

    my $response = $connection->request('GET', $path,
        [ Accept => 'text/html', defined $user ? ('X-User' => $user) : () ]);

    return $response && $response->status == 204 ? $response : undef;
}


# Runs sub (client, connection) in CLIENTS processes.
sub clients
{
    my ($t, $work) = @_;

    return Ux::parallel(CLIENTS, sub { $work->($_[0], $t->connection) });
}


sub zone
{
    my ($t, $requests) = @_;

    Ux::wait_until(sub {
        $t->stats('/zones/shop/http/requests') >= $requests })
        if defined $requests;
    $t->rest;

    return $t->stats('/zones/shop');
}


# Over all variants: assigned, visitors, or what the path leads to.
sub sum
{
    my ($zone, @path) = @_;

    my $sum = 0;
    for my $variant (values %{ $zone->{experiments}{layout}{variants} }) {
        my $value = $variant;
        $value = $value->{$_} for @path;
        $sum += $value;
    }

    return $sum;
}


# Of the users, those that the zone has a record of.
sub known
{
    my ($t, @users) = @_;

    my @known = clients($t, sub {
        my ($i, $connection) = @_;
        return [ grep {
            my $response = visit($connection, '/known', $_);
            $response && $response->header('X-Reason') eq 'cached';
        } map { $users[$_] } grep { $_ % CLIENTS == $i } 0 .. $#users ];
    });

    return map { @$_ } @known;
}


sub one_two_and_four_workers_agree
{
    my %numbers;

    for my $workers (1, 2, 4) {
        my $t = start(workers => $workers);
        my @sent = clients($t, sub {
            my ($i, $connection) = @_;
            my $sent = 0;
            for my $n (1 .. 120) {
                my @path = ('/', '/view', ('/cart') x ($n % 3),
                    $n % 4 ? () : ("/buy?value=$n.25") x 2);
                for my $path (@path) {
                    visit($connection, $path, "agree-$i-$n") or die "none\n";
                    $connection->close if $sent++ % 5 == 0;
                }
            }
            return $sent;
        });

        my $sent = 0;
        $sent += $_ for @sent;
        my $zone = zone($t, $sent);

        is(sum($zone, 'visitors'), CLIENTS * 120, "$workers: every visitor");
        is($zone->{http}{requests}, $sent, "$workers: every request");
        is($zone->{events}{purchase}, CLIENTS * 60, "$workers: every event");
        $numbers{$workers} = without_times($zone);
        $t->no_alerts("$workers: no alerts");
    }

    is_deeply($numbers{2}, $numbers{1}, 'one and two workers agree');
    is_deeply($numbers{4}, $numbers{1}, 'one and four workers agree');

    return;
}


sub without_times
{
    my ($zone) = @_;

    for my $experiment (values %{ $zone->{experiments} }) {
        delete @$experiment{qw(started_at runtime_seconds)};

        # the smallest of all looks, of which there were some

        delete $experiment->{srm}{p_value};
        delete $_->{started_at} for @{ $experiment->{epochs} };
    }

    without_seconds($zone);

    return $zone;
}


# How long things took differs from run to run, and what another smallest of
# all looks is.
sub without_seconds
{
    my ($value) = @_;

    if (ref $value eq 'HASH') {
        delete @$value{qw(seconds upstream_seconds)};
        delete $value->{exact}{p_value} if $value->{exact};
        without_seconds($_) for values %$value;
    }
    without_seconds($_) for ref $value eq 'ARRAY' ? @$value : ();

    return;
}


sub one_visitor_under_two_hands
{
    my $t = start(workers => 2);
    my @workers = clients($t, sub {
        my ($i, $connection) = @_;
        my %answered;
        for my $n (1 .. 2000) {
            my $response = visit($connection, '/cart', 'the only one')
                or die "no answer\n";
            $answered{$response->header('X-Worker')}++;
            $connection->close if $n % 3 == 0;
        }
        return \%answered;
    });

    my $answered = gather(@workers);
    is(scalar(grep { $_ > CLIENTS * 200 } values %$answered), 2,
        'hammered: by both workers') or diag explain $answered;

    my $zone = zone($t, CLIENTS * 2000);
    my $drops = $zone->{visitors}{contended_drop};
    diag("hammered: $drops drops");

    is($zone->{visitors}{tracked}, 1, 'hammered: one record');
    is(sum($zone, 'assigned'), 1, 'hammered: assigned once');
    is(sum($zone, 'visitors'), 1, 'hammered: one visitor');
    is($zone->{events}{add_to_cart} + $drops, CLIENTS * 2000,
        'hammered: every event, or its drop, is counted');
    cmp_ok($drops, '<', CLIENTS * 20, 'hammered: drops are rare');
    is(sum($zone, qw(funnels checkout carts created)), 1,
        'hammered: one cart');
    $t->no_alerts('hammered: no alerts');

    return;
}


# All clients send the same newcomer's first request in the same moment, on
# connections opened before, of which each worker has some.
sub newcomers_in_a_crowd_are_one_each
{
    my $t = start(workers => 2);
    my $newcomers = 400;
    my $begin = Time::HiRes::time() + 0.2;

    my @workers = clients($t, sub {
        my ($i, $connection) = @_;
        my @workers;
        for my $n (0 .. $newcomers - 1) {
            $connection->close;
            $connection->open;
            my $rest = $begin + $n * 0.005 - Time::HiRes::time();
            Time::HiRes::sleep($rest - 0.001) if $rest > 0.001;
            1 while Time::HiRes::time() < $begin + $n * 0.005;
            my $response = visit($connection, '/cart', "crowd-$n")
                or die "no answer\n";
            push @workers, $response->header('X-Worker');
        }
        return \@workers;
    });

    my $both = grep {
        my $n = $_;
        my %seen = map { $_->[$n] => 1 } @workers;
        keys %seen > 1;
    } 0 .. $newcomers - 1;
    diag("a crowd: $both of $newcomers newcomers met both workers");
    cmp_ok($both, '>', $newcomers / 10, 'a crowd: many met both workers');

    my $zone = zone($t, CLIENTS * $newcomers);

    is($zone->{visitors}{tracked}, $newcomers, 'a crowd: one record each');
    is(sum($zone, 'assigned'), $newcomers, 'a crowd: assigned once each');
    is(sum($zone, 'visitors'), $newcomers, 'a crowd: one visitor each');
    is(sum($zone, qw(funnels checkout carts created)), $newcomers,
        'a crowd: one cart each');
    is($zone->{events}{add_to_cart} + $zone->{visitors}{contended_drop},
        CLIENTS * $newcomers, 'a crowd: every event or its drop');
    $t->no_alerts('a crowd: no alerts');

    return;
}


# As a debugger or a memory checker runs nginx.  (It can not be reloaded:
# nginx 1.22 without the module stops answering then, too.)
sub a_single_process_counts
{
    my $t = start(globals => 'master_process off;');
    my @users = map { "single-$_" } 1 .. 50;
    my $connection = $t->connection;

    is(scalar $t->_children, 0, 'single process: there is no other');
    visit($connection, '/cart', $_) or fail("no answer for $_") for @users;

    my $zone = zone($t, 50);
    is(sum($zone, 'visitors'), 50, 'single process: every visitor');
    is($zone->{events}{add_to_cart}, 50, 'single process: every event');

    $t->no_alerts('single process: no alerts');

    return;
}


# Clients on connections of their own for each request, while somebody kills
# a worker now and then.  Whatever was answered is counted; of what was not,
# at most the one request that each of the killed was working on.
sub killed_workers_lose_nothing_acknowledged
{
    my $t = start(workers => 4, globals => 'worker_rlimit_core 0;');
    my $done = $t->dir . '/done';
    my $users = 300;

    my @results = Ux::parallel(CLIENTS + 1, sub {
        my ($i) = @_;
        return kill_workers($t, $done) if $i == CLIENTS;
        return shop_until($t, $done, sub { "kill-$i-" . $_[0] % $users });
    });

    my $kills = pop @results;
    is($kills, KILLS, 'killed: that many workers');

    my $all = gather(@results);
    diag("killed: $all->{acknowledged} answered, $all->{failed} not");
    is($all->{hung}, 0, 'killed: nobody was kept waiting');
    cmp_ok($all->{acknowledged}, '>', 20 * KILLS, 'killed: under load');
    cmp_ok($all->{failed}, '<', 20 * KILLS, 'killed: few were cut');

    Ux::wait_until(sub { $t->workers >= 4 });
    is(scalar $t->workers, 4, 'killed: all are replaced');

    my $zone = zone($t);
    my $counted = $zone->{events}{add_to_cart}
        + $zone->{visitors}{contended_drop};
    diag("killed: $counted counted, $zone->{visitors}{contended_drop} drops");
    cmp_ok($counted, '>=', $all->{acknowledged},
        'killed: every answered event is counted');
    cmp_ok($counted, '<=', $all->{acknowledged} + KILLS,
        'killed: at most one over for each of the killed');
    cmp_ok($zone->{visitors}{contended_drop}, '<', 10 * KILLS,
        'killed: drops are rare');

    # Between a record and the counters of it somebody may have been killed.
    cmp_ok(abs(sum($zone, 'visitors') - $all->{users}), '<=', KILLS,
        'killed: a visitor more or less for each of the killed');

    # nothing that they held is held still
    my @users = map { my $i = $_; map { "kill-$i-$_" } 0 .. $users - 1 }
        0 .. CLIENTS - 1;
    my $began = Time::HiRes::time();
    my @answered = clients($t, sub {
        my ($i, $connection) = @_;
        return scalar grep { visit($connection, '/view', $_) }
            map { $users[$_] } grep { $_ % CLIENTS == $i } 0 .. $#users;
    });
    is_deeply(\@answered, [ ($users) x CLIENTS ], 'then: all are answered');

    my $after = zone($t);
    is($after->{events}{view_item} + $after->{visitors}{contended_drop}
        - $zone->{visitors}{contended_drop}, CLIENTS * $users,
        'then: every event of everybody is counted');
    cmp_ok($after->{visitors}{contended_drop}
        - $zone->{visitors}{contended_drop}, '<', 10, 'then: no lock is held');
    cmp_ok(Time::HiRes::time() - $began, '<', 15, 'then: at once');

    UxScale::figure('workers killed', kills => $kills,
        acknowledged => $all->{acknowledged}, cut => $all->{failed},
        hung => $all->{hung}, drops => $zone->{visitors}{contended_drop},
        lost => $counted < $all->{acknowledged}
        ? $all->{acknowledged} - $counted : 0,
        over => $counted > $all->{acknowledged}
        ? $counted - $all->{acknowledged} : 0);

    $t->no_alerts('killed: no alerts but of the killed',
        qr/exited on signal (?:6|9|11)$/);

    return;
}


# By each of the signals in turn, and one of five times after standing still.
sub kill_workers
{
    my ($t, $done) = @_;

    # a sanitizer takes SEGV for a fault it found

    my @signals = ('KILL', $ENV{TEST_NGINX_PRELOAD} ? 'ABRT' : 'SEGV', 'KILL',
        'ABRT', 'STOP');
    my $kills = 0;
    my $end = time + 30 + KILLS;

    while ($kills < KILLS && time < $end) {
        Time::HiRes::sleep(0.02 + rand 0.1);
        my @workers = $t->workers;
        next if @workers < 2;
        my $worker = $workers[rand @workers];
        my $signal = $signals[$kills % @signals];
        $kills += kill $signal, $worker;
        next if $signal ne 'STOP';
        Time::HiRes::sleep(0.05);
        kill 'KILL', $worker;
    }

    Ux::_write($done, '');

    return $kills;
}


# Requests of the users that sub (n) names, until the file is there.
sub shop_until
{
    my ($t, $done, $user) = @_;

    my %seen;
    my %result = (acknowledged => 0, failed => 0, hung => 0, slow => 0);
    my $connection = $t->connection(timeout => 5);
    my $end = time + 40 + KILLS;

    for (my $n = 0; !-e $done && time < $end; $n++) {
        my $name = $user->($n);
        my $began = Time::HiRes::time();
        my $response = eval { visit($connection, '/cart', $name) };
        my $took = Time::HiRes::time() - $began;

        $connection->close;
        $result{$response ? 'acknowledged' : 'failed'}++;
        $result{hung}++ if $took > 4;
        $result{slow}++ if $took > 0.5;
        $seen{$name} = 1 if $response;
    }

    $result{users} = keys %seen;

    return \%result;
}


sub gather
{
    my %all;

    for my $result (@_) {
        $all{$_} += $result->{$_} for keys %$result;
    }

    return \%all;
}


sub a_stopped_worker_holds_up_nobody
{
    my $t = start(workers => 2);
    my $done = $t->dir . '/done';
    my $clients = 8;

    my @results = Ux::parallel($clients + 1, sub {
        my ($i) = @_;
        return stop_worker($t, $done) if $i == $clients;
        return shop_until($t, $done, sub { "stop-$i-" . $_[0] % 100 });
    });

    my $stopped = pop @results;
    my $all = gather(@results);
    diag("stopped: $all->{acknowledged} answered, $stopped->{meanwhile}"
        . " meanwhile, $all->{slow} had to wait");

    is($all->{failed}, 0, 'stopped: all are answered');
    cmp_ok($stopped->{meanwhile}, '>', 100,
        'stopped: meanwhile the other goes on');
    cmp_ok($all->{slow}, '<=', $clients,
        'stopped: only who had been taken by it has to wait');

    my $zone = zone($t, $all->{acknowledged});
    is($zone->{events}{add_to_cart} + $zone->{visitors}{contended_drop},
        $all->{acknowledged}, 'stopped: every event or its drop is counted');
    cmp_ok($zone->{visitors}{contended_drop}, '<', 100,
        'stopped: drops are rare');
    is(sum($zone, 'visitors'), $all->{users}, 'stopped: every visitor is one');

    $t->no_alerts('stopped: no alerts');

    return;
}


# Stops one worker for a second; how many requests were counted meanwhile.
sub stop_worker
{
    my ($t, $done) = @_;

    # asked of the other worker, over a connection that it keeps
    Time::HiRes::sleep(0.15);
    my ($worker) = $t->workers;
    kill 'STOP', $worker;
    Time::HiRes::sleep(0.05);
    my $before = counted($t);
    my $end = Time::HiRes::time() + 1;
    Time::HiRes::sleep(0.1) while Time::HiRes::time() < $end;
    my $after = counted($t);
    kill 'CONT', $worker;
    Time::HiRes::sleep(0.15);
    Ux::_write($done, '');

    return { meanwhile => $after - $before };
}


sub counted
{
    my ($t) = @_;

    return $t->get('/uxstats/api/1/zones/shop/events/add_to_cart')->body;
}


# A zone of the least size and many times the visitors it has room for.
sub a_full_zone_serves_and_accounts
{
    my $t = start(size => FULL_SIZE);
    my $capacity = $t->stats('/zones/shop/visitors/capacity');
    my @carts = map { "cart-$_" } 1 .. FULL_CARTS;
    my $connection = $t->connection;
    my $per_client = FULL / CLIENTS;
    my $began = time;

    cmp_ok($capacity, '<', FULL / 2, 'full: the zone is small');
    visit($connection, '/cart', $_) or fail("no answer for $_") for @carts;

    my @answered = clients($t, sub {
        my ($i, $connection) = @_;
        return scalar grep {
            $connection->close if $_ % 10 == 0;
            visit($connection, '/', "full-$i-$_");
        } 1 .. $per_client;
    });
    is_deeply(\@answered, [ ($per_client) x CLIENTS ],
        'full: every request is served');

    my $sent = CLIENTS * $per_client + @carts;
    my $zone = zone($t, $sent);
    my $v = $zone->{visitors};
    my $inserted = $sent - $v->{contended_drop}
        - $zone->{discarded}{zone_full};
    diag("full: $v->{tracked} tracked, $v->{evicted} evicted, "
        . "$v->{contended_drop} drops, $zone->{discarded}{zone_full} full");

    is($v->{tracked} + $v->{evicted} + $v->{expired}, $inserted,
        'full: inserted = tracked + evicted + expired');
    cmp_ok($v->{evicted}, '>', $inserted / 2, 'full: most had to go');
    cmp_ok($v->{tracked}, '>=', $capacity, 'full: it is filled');
    cmp_ok($v->{contended_drop}, '<', $sent / 100, 'full: drops are rare');
    is(sum($zone, 'visitors'), $inserted,
        'full: what evicted visitors had counted stays');

    my ($lines, $took) = (full_lines($t), time - $began);
    cmp_ok($lines, '<=', 1 + $took / 60,
        'full: one log line a minute at most');

    my @known = known($t, @carts,
        map { my $i = $_; map { "full-$i-$_" } 1 .. $per_client }
        0 .. CLIENTS - 1);
    is(scalar @known, $v->{tracked},
        'full: as many are known as are said to be tracked');
    my $there = grep { /^cart/ } @known;
    is($there, scalar @carts,
        'full: whoever has a cart open is still there');
    my $answered = 0;
    $answered += $_ for @answered;
    UxScale::figure('full zone', newcomers => FULL, records => $capacity,
        failed => FULL - $answered, evicted => $v->{evicted},
        'neither live, evicted nor expired' => $inserted - $v->{tracked}
        - $v->{evicted} - $v->{expired}, 'without room' =>
        $zone->{discarded}{zone_full}, drops => $v->{contended_drop},
        'carts in checkout' => scalar @carts, 'carts lost' => @carts - $there,
        "log lines in $took s" => $lines);

    $t->no_alerts('full: no alerts');

    return;
}


sub full_lines
{
    my ($t) = @_;

    return scalar(() = $t->error_log =~ /^.*is full.*$/mg);
}


# Whoever brings no cookie back stays provisional: first in a zone with some
# room, then in one that is full of confirmed visitors.
sub a_flood_of_strangers_drives_out_nobody
{
    for my $share (0.6, 1.5) {
        my $t = start(size => '512k');
        my $capacity = $t->stats('/zones/shop/visitors/capacity');
        my @users = map { "confirmed-$_" } 1 .. $capacity * $share;
        my $connection = $t->connection;
        my $flood = 2500;

        visit($connection, '/', $_) or fail("no answer for $_") for @users;
        my @known = known($t, @users);
        my $before = zone($t, 2 * @users);

        is(scalar @known, $before->{visitors}{tracked},
            "flood, $share: the confirmed ones are known");

        my @minted = clients($t, sub {
            my ($i, $connection) = @_;
            my %cookies;
            for (1 .. $flood) {
                my $response = visit($connection, '/') or die "no answer\n";
                my $cookie = $response->set_cookie('ux') or die "no cookie\n";
                $cookies{$cookie} = 1;
                $connection->close if $_ % 10 == 0;
            }
            return scalar keys %cookies;
        });
        is_deeply(\@minted, [ ($flood) x CLIENTS ],
            "flood, $share: everybody is served and gets a cookie");

        my $after = zone($t, 2 * @users + CLIENTS * $flood);
        my $v = $after->{visitors};
        diag("flood, $share: $v->{tracked} tracked, $v->{provisional} "
            . "provisional, $after->{discarded}{zone_full} without room");

        is_deeply([ sort { $a cmp $b } known($t, @users) ],
            [ sort { $a cmp $b } @known ],
            "flood, $share: no confirmed visitor is lost");
        is($v->{tracked} - $v->{provisional}, $before->{visitors}{tracked},
            "flood, $share: as many confirmed ones as before");
        is(sum($after, 'visitors'), sum($before, 'visitors'),
            "flood, $share: visitors do not move");
        is($v->{tracked} + $v->{evicted} + $v->{expired}
            + $v->{contended_drop} + $after->{discarded}{zone_full},
            @users + CLIENTS * $flood,
            "flood, $share: everybody is accounted for");
        is(sum($after, 'assigned'), @users + CLIENTS * $flood
            - $v->{contended_drop} - $after->{discarded}{zone_full},
            "flood, $share: assigned does");
        is(full_lines($t), $after->{discarded}{zone_full} ? 1 : 0,
            "flood, $share: one log line for all who found no room");
        cmp_ok($after->{discarded}{zone_full}, '>', 0,
            "flood, $share: some found no room") if $share > 1;

        $t->no_alerts("flood, $share: no alerts");
    }

    return;
}
