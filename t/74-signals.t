#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# Signals that stop or replace a server while clients ask: TERM, INT and QUIT,
# a stop cut short while a download runs, binary upgrades with USR2 and WINCH
# and their roll-back by HUP, a new binary that does not start, a second start
# beside workers whose master was killed.  Whatever was answered is counted,
# once.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use File::Copy ();
use POSIX ();
use Test::More;
use Time::HiRes ();
use UxProcesses;
use UxScale;
use UxTest;

# Snapshots each INTERVAL; what was answered WRITTEN s before it is in the
# file, also on a busy machine.
use constant { CLIENTS => 2, USERS => 150, INTERVAL => 0.2, WRITTEN => 2,
    UPGRADES => UxScale::count('UPGRADES', 3),
    STOPS => UxScale::count('STOPS', 1) };

# Three ways, in turn: the new one stays, with the old workers stopped first
# or not, or the old one takes over again.
my %UPGRADE = (
    'USR2, QUIT' => sub {
        my ($t, $old, $new) = @_;
        kill 'QUIT', $old;
        Ux::gone($old) or die "the old one stays\n";
        return $new;
    },
    'USR2, WINCH, QUIT' => sub {
        my ($t, $old, $new) = @_;
        my @workers = grep { $_ != $new } Ux::children_of($old);
        kill 'WINCH', $old;
        Ux::gone($_) or die "an old worker stays\n" for @workers;
        -e "/proc/$old" or die "the old master has gone\n";
        kill 'QUIT', $old;
        Ux::gone($old) or die "the old one stays\n";
        return $new;
    },
    'USR2, WINCH, HUP, QUIT' => sub {
        my ($t, $old, $new) = @_;
        my @workers = grep { $_ != $new } Ux::children_of($old);
        kill 'WINCH', $old;
        Ux::gone($_) or die "an old worker stays\n" for @workers;
        kill 'HUP', $old;
        Ux::wait_until(sub {
            Ux::children_of($old) > $t->{workers} + 1
        }) or die "no workers again\n";
        Ux::stray(Ux::children_of($old));
        kill 'QUIT', $new;
        Ux::gone($new) or die "the new one stays\n";
        Ux::wait_until(sub { ($t->pid_file || 0) == $old })
            or die "no pid file\n";
        return $old;
    },
);


UxScale::run(qw(
    stopped
    a_stop_cut_short
    upgrades
    binaries_that_do_not_start
    a_second_start_beside_orphans
    a_second_server_beside_orphans
));

done_testing();


sub shop
{
    my (%option) = @_;

    my $listen = delete $option{listen} || '';
    my $slow = $option{backends}
        ? 'location /slow { proxy_pass http://%%APP%%; }' : '';

    return Ux::nginx(workers => 2, globals => Ux::INHERITED,
        files => { 'file' => 'x' x 2_000_000 }, %option, conf => <<"CONF");
ux_zone shop 8m snapshot=%%DIR%%/state interval=200ms journeys=500ms;
ux_experiment layout { variant control 50; variant one 50; window off; }
server {
    listen 127.0.0.1:%%PORT%% $listen;
    ux_visitor_key \$http_x_user;
    ux_expose all requests=any;
    add_header X-Layout \$ux_variant_layout always;
    add_header X-Worker \$pid always;
    location / { ux_event view_item; return 204; }
    location = /file { ux_event add_to_cart; limit_rate 20k; }
    $slow
    location /uxstats { ux_stats; }
}
CONF
}


# Clients with a connection for each request, until the file is there.
sub ask_until
{
    my ($t, $name, $done) = @_;

    my (%told, @times);
    my ($failed, $changed) = (0, 0);
    my $end = time + 60 + 3 * UPGRADES;

    for (my $n = 0; !-e $done && time < $end; $n++) {
        my $user = "$name-" . $n % USERS;
        my $answer = eval { $t->connection(timeout => 10)->request('GET', '/',
            [ 'X-User' => $user ]) };

        if (!$answer || $answer->status != 204) {
            $failed++;
            Time::HiRes::sleep(0.01);
            next;
        }

        push @times, Time::HiRes::time();
        my $layout = $answer->header('X-Layout');
        $changed++ if ($told{$user} ||= $layout) ne $layout;
    }

    return { last => $times[-1] || 0, answered => scalar @times,
        who => [ keys %told ], users => scalar keys %told, failed => $failed,
        changed => $changed };
}


# What the work returned, and what the clients saw meanwhile.
sub under_load
{
    my ($t, $name, $work) = @_;

    my $done = $t->dir . '/done';
    unlink $done;

    my ($said, @clients) = Ux::parallel(CLIENTS + 1, sub {
        return ask_until($t, "$name-$_[0]", $done) if $_[0] > 0;
        my $said = eval { $work->() };
        my $error = $@;
        Ux::_write($done, '');
        die $error unless defined $said;
        return $said;
    });

    my %all = (last => 0);
    for my $client (@clients) {
        $all{last} = $client->{last} if $client->{last} > $all{last};
        $all{$_} += $client->{$_} for qw(answered users failed changed);
        push @{ $all{who} }, @{ $client->{who} };
    }

    return ($said, \%all);
}


sub zone
{
    my ($t) = @_;

    my $zone = $t->stats('/zones/shop');
    my $visitors = 0;
    $visitors += $_->{visitors}
        for values %{ $zone->{experiments}{layout}{variants} };

    return { views => $zone->{events}{view_item} || 0,
        files => $zone->{events}{add_to_cart} || 0,
        purchases => $zone->{events}{purchase} || 0,
        drops => $zone->{visitors}{contended_drop}, visitors => $visitors,
        tracked => $zone->{visitors}{tracked},
        crossovers => $zone->{experiments}{layout}{crossover_visitors} };
}


sub incarnations
{
    my ($t) = @_;

    my %seen = map { m{/shop\.([0-9a-f]{32})\.(?!lock)} ? ($1 => 1) : () }
        glob $t->dir . '/state/shop.*';

    return scalar keys %seen;
}


# A listing may miss what is just being renamed.
sub sets_of_files
{
    my ($t, $n) = @_;

    return Ux::wait_until(sub { incarnations($t) == $n }, 20);
}


sub one_set_of_files { return sets_of_files($_[0], 1) }


# In no request's way; after it a server is started again.
sub stopped
{
    my %sum = map { $_ => 0 } qw(times acknowledged lost);

    for my $signal (('TERM', 'INT', 'QUIT') x STOPS) {
        my $t = shop()->start;
        my ($said, $all) = under_load($t, $signal, sub {
            Time::HiRes::sleep(0.3 + rand 0.3);
            kill $signal, $t->pid;
            Ux::gone($t->pid);
            return 1;
        });
        waitpid $t->pid, 0;
        is($?, 0, "$signal: ends well");
        $t->start;

        my $zone = zone($t);
        my $lost = $all->{answered} - $zone->{views} - $zone->{drops};
        cmp_ok($all->{answered}, '>', 20, "$signal: under load");
        cmp_ok($lost, '<=', 0, "$signal: every answered event is there");
        cmp_ok($zone->{views}, '<=', $all->{answered} + $all->{failed},
            "$signal: none that was not asked for");
        cmp_ok($zone->{visitors}, '>=', $all->{users} - $zone->{drops},
            "$signal: and every visitor");
        $sum{times}++;
        $sum{acknowledged} += $all->{answered};
        $sum{lost} += $lost if $lost > 0;
        $t->no_alerts("$signal: no alerts");
    }

    UxScale::figure('TERM, INT, QUIT',
        map { $_ => $sum{$_} } qw(times acknowledged lost));

    return;
}


# As a service manager does: QUIT, and KILL after some seconds, because a
# download takes longer than that.  All that was answered an interval and some
# time to write before the KILL is in a file, also what the application was
# asked before the QUIT and answered after it.
sub a_stop_cut_short
{
    my $t = shop(backends => { APP => sub {
        my ($request) = @_;
        my ($go) = map { $_->[1] } grep { $_->[0] eq 'X-Go' }
            @{ $request->{pairs} };
        Ux::wait_until(sub { -e $go }, 20);
        return (200, [ 'X-UX-Event' => 'purchase;value=1' ], 'at last');
    } })->start;
    my $go = $t->dir . '/go';
    my $download = $t->connection(timeout => 60);
    my $slow = $t->connection(timeout => 60);

    $download->send($download->request_text('GET', '/file',
        [ 'X-User' => 'reader' ]));
    my $worker = Ux::wait_until(sub {
        $download->_fill;
        return $download->{buffer} =~ /X-Worker: (\d+)/ && $1;
    });
    $slow->send($slow->request_text('GET', '/slow',
        [ 'X-User' => 'buyer', 'X-Go' => $go ]));
    Ux::wait_until(sub { scalar $t->backend('APP')->requests });

    my ($said, $all) = under_load($t, 'short', sub {
        Time::HiRes::sleep(0.5 + rand INTERVAL);
        kill 'QUIT', $t->pid;
        return 1;
    });

    Ux::_write($go, '');
    my $answer = $slow->read_response;
    $all->{last} = Time::HiRes::time();
    is($answer && $answer->status, 200, 'cut short: the slow answer comes');

    Ux::wait_until(sub {
        Time::HiRes::time() > $all->{last} + INTERVAL + WRITTEN });
    ok((grep { $_ == $worker } $t->leaving),
        'cut short: the download goes on');
    $t->kill_tree;
    $t->start;

    my $zone = zone($t);
    my $lost = $all->{answered} - $zone->{views} - $zone->{drops};
    cmp_ok($all->{answered}, '>', 20, 'cut short: under load');
    cmp_ok($lost, '<=', 0,
        'cut short: what was answered that long before is there');
    is($zone->{files}, 1, 'cut short: the download is an event');
    is($zone->{purchases}, 1,
        'cut short: and what was answered while it ran');
    UxScale::figure('QUIT, then KILL', acknowledged => $all->{answered} + 2,
        lost => $lost > 0 ? $lost : 0);
    $t->no_alerts('cut short: no alerts');

    return;
}


sub upgrades
{
    my $t = shop()->start_detached;
    my @ways = sort keys %UPGRADE;

    my ($pids, $all) = under_load($t, 'up', sub {
        my @pids;
        for my $n (1 .. UPGRADES) {
            my $way = $ways[$n % @ways];
            my $old = $t->pid;
            my $new = $t->upgrade;
            # both serve for a while
            Time::HiRes::sleep(0.05);
            $t->{pid} = eval { $UPGRADE{$way}->($t, $old, $new) }
                || die "$n, $way: $@";
            one_set_of_files($t) or die "$n, $way: two sets of files\n";
            push @pids, $t->pid;
        }
        return \@pids;
    });

    $t->{pid} = $pids->[-1];
    Ux::stray($t->pid, Ux::children_of($t->pid));
    is(scalar @$pids, UPGRADES, 'upgrades: that many');

    my $zone = zone($t);
    my $counted = $zone->{views} + $zone->{drops};
    is($all->{failed}, 0, 'upgrades: no request failed');
    cmp_ok($all->{answered}, '>', 20 * UPGRADES, 'upgrades: under load');
    is($counted, $all->{answered}, 'upgrades: every event is there, once');
    is($zone->{visitors}, $all->{users}, 'upgrades: every visitor is one');
    is($zone->{tracked}, $all->{users}, 'upgrades: with one record');
    is($zone->{crossovers}, 0, 'upgrades: none crosses over');
    is($all->{changed}, 0, 'upgrades: nobody saw two variants');
    UxScale::figure('upgrades', cycles => scalar @$pids, acknowledged =>
        $all->{answered}, failed => $all->{failed},
        lost => $all->{answered} > $counted ? $all->{answered} - $counted : 0,
        double => $counted > $all->{answered} ? $counted - $all->{answered}
        : 0, 'visitors double' => $zone->{visitors} - $all->{users});

    $t->quit_detached;
    $t->start;
    is(zone($t)->{views}, $zone->{views}, 'upgrades: nor after a restart');
    $t->no_alerts('upgrades: no alerts');

    return;
}


# The old one goes on as if nothing had been.
sub binaries_that_do_not_start
{
    my $t = shop();
    my $binary = $t->dir . '/nginx';
    my $good = Ux::binary();
    my $conf = $t->dir . '/nginx.conf';

    ($good) = grep { -x } map { "$_/$good" } split /:/, $ENV{PATH}
        if $good !~ m{/};
    File::Copy::copy($good, $binary) or die "$good: $!\n";
    chmod 0755, $binary;
    {
        local $ENV{TEST_NGINX_BINARY} = $binary;
        $t->start_detached;
    }

    my $old = $t->pid;
    my $replace = sub {
        Ux::_write("$binary.new", $_[0]);
        chmod 0755, "$binary.new";
        rename "$binary.new", $binary or die "$binary: $!\n";
    };
    my $whole = Ux::_read($conf);
    my %broken = (
        'no program' => sub { $replace->('no program at all') },
        'one that ends at once' => sub { $replace->("#!/bin/sh\nexit 1\n") },
        'its configuration is bad' => sub {
            $replace->(Ux::_read($good));
            Ux::_write($conf, "$whole\nnonsense;\n");
        },
    );

    my ($rounds, $all) = under_load($t, 'broken', sub {
        my $rounds = 0;
        for my $what (sort keys %broken) {
            $broken{$what}->();
            my $seen = length $t->error_log;
            kill 'USR2', $old;
            Ux::wait_until(sub {
                substr($t->error_log, $seen)
                    =~ /new binary process \d+ exited|exited with code 1/
                    && ($t->pid_file || 0) == $old;
            }, 20) or die "$what: not noticed\n";
            Ux::_write($conf, $whole);
            one_set_of_files($t) or die "$what: files are left\n";
            $rounds++;
        }
        return $rounds;
    });

    is($rounds, 3, 'broken binaries: each is noticed, and leaves no file');
    is($all->{failed}, 0, 'broken binaries: no request fails');
    my $zone = zone($t);
    is($zone->{views} + $zone->{drops}, $all->{answered},
        'broken binaries: every event is there, once');

    # and a good one is taken

    $replace->(Ux::_read($good));
    my $new = $t->upgrade;
    kill 'QUIT', $old;
    Ux::gone($old);
    $t->{pid} = $new;
    ok(one_set_of_files($t), 'broken binaries: a good one takes over');
    is(zone($t)->{views}, $zone->{views},
        'broken binaries: with every number');
    $t->quit_detached;
    $t->no_alerts('broken binaries: no alerts but of these',
        qr/execve\(\) failed|exited with code|unknown directive|nonsense/);

    return;
}


sub orphaned
{
    my ($t) = @_;

    my @left = $t->_children;
    Ux::stray(@left);
    kill 'KILL', $t->pid;
    waitpid $t->pid, 0;
    $t->{pid} = 0;

    return grep { Ux::_read("/proc/$_/cmdline") =~ /worker/ } @left;
}


# The port is taken: no start, and nothing of the orphans' is touched.
sub a_second_start_beside_orphans
{
    my $t = shop()->start;
    my @workers = orphaned($t);
    my $output = $t->dir . '/second.log';

    my ($status, $all) = under_load($t, 'orphan', sub {
        my $pid = $t->_spawn($output, '-c', $t->dir . '/nginx.conf');
        waitpid $pid, 0;
        return "$?";
    });

    isnt($status, 0, 'a second start: is refused');
    like(Ux::_read($output) . $t->error_log, qr/\[emerg\].*bind\(\)/,
        'a second start: the port is taken');
    is($all->{failed}, 0, 'a second start: the orphans go on');

    my $zone = zone($t);
    is($zone->{views} + $zone->{drops}, $all->{answered},
        'a second start: and count every event');
    ok(one_set_of_files($t), 'a second start: leaves no file');

    kill 'QUIT', @workers;
    Ux::gone($_) for @workers;
    ok(Ux::wait_until(sub { eval { $t->start } }, 20),
        'a second start: is well once they are gone');
    Ux::wait_until(sub { zone($t)->{views} == $zone->{views} });
    is(zone($t)->{views}, $zone->{views},
        'a second start: with every number');
    is(zone($t)->{visitors}, $all->{users}, 'a second start: nobody twice');
    $t->no_alerts('a second start: no alerts but of the refusal',
        qr/bind\(\)|still could not bind/);

    return;
}


# reuseport: both serve, each counts its own, and what the orphans counted
# comes in when they are gone, not before.
sub a_second_server_beside_orphans
{
    my $t = shop(listen => 'reuseport')->start;
    my @workers = orphaned($t);
    my ($said, $first) = under_load($t, 'both', sub {
        Time::HiRes::sleep(0.3); return 1 });
    my $before = zone($t);

    is($before->{views} + $before->{drops}, $first->{answered},
        'reuseport: the orphans count');
    $t->start;
    ok(sets_of_files($t, 2), 'reuseport: files of both');

    # longer than it takes to look for what nobody owns any more
    my $second;
    ($said, $second) = under_load($t, 'both', sub {
        Time::HiRes::sleep(1.5); return 1 });
    ok(sets_of_files($t, 2), 'reuseport: the orphans\' are not touched');

    my %of = map { $_ => 'orphans' } @workers;
    my %counted;
    Ux::wait_until(sub {
        my $answer = $t->get('/uxstats/api/1/zones/shop');
        my $who = $of{$answer->header('X-Worker')} || 'new';
        my $zone = $answer->json;
        $counted{$who} = $zone->{events}{view_item}
            + $zone->{visitors}{contended_drop};
        return keys %counted == 2;
    });
    my $sum = 0;
    $sum += $_ for values %counted;
    is($sum, $first->{answered} + $second->{answered},
        'reuseport: each counts its own');

    kill 'QUIT', @workers;
    Ux::gone($_) for @workers;
    ok(one_set_of_files($t), 'reuseport: then it takes theirs over');

    my $zone = zone($t);
    is($zone->{views} + $zone->{drops},
        $first->{answered} + $second->{answered},
        'reuseport: every event is there, once');
    my %who = map { $_ => 1 } map { @{ $_->{who} } } $first, $second;
    is($zone->{visitors}, keys %who, 'reuseport: nobody twice');
    $t->no_alerts('reuseport: no alerts');

    return;
}
