#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# What becomes of processes: all workers killed at once, the master killed, a
# worker killed in the midst of a reload, logs reopened, "nginx -t" beside a
# running server, readers of statistics who do not read, files held open, a
# module of another nginx, keys in a debug log.

use strict;
use warnings;

use FindBin;
use Time::HiRes ();
use lib "$FindBin::Bin/lib";

use Test::More;
use UxScale;
use UxTest;

# who is not answered within this is not going to be
use constant HANGS => 15;

use constant { CLIENTS => 4, MASTERS => UxScale::count('MASTERS', 1),
    ALL_KILLED => UxScale::count('ALL_KILLED', 5),
    RELOADS_KILLED => UxScale::count('RELOADS_KILLED', 5) };


my @PAGE = (Accept => 'text/html');
my $SELF = $$;
my @orphans;

UxScale::run(qw(
    all_workers_killed
    master_killed
    a_worker_killed_in_a_reload
    beside_a_running_server
    slow_readers
    a_module_of_another_nginx
    a_debug_log
));

done_testing();


# Workers without a master would outlive a test that dies.
END {
    kill 'KILL', grep { Ux::_read("/proc/$_/cmdline") =~ /^nginx: worker/ }
        @orphans if $SELF == $$;
}


sub shop
{
    my ($more, %option) = @_;

    return Ux::nginx(%option, conf => ($more || '') . <<'CONF');
ux_zone shop 4m;
ux_experiment layout { variant control 1; variant b 1; }
server {
    listen 127.0.0.1:%%PORT%%;
    ux_visitor_key $http_x_user;
    ux_expose all;
    location / { ux_event view_item; return 204; }
    location /uxstats { ux_stats; }
}
CONF
}


sub events { return $_[0]->stats('/zones/shop')->{events}{view_item} }


# Clients that ask until the file is there; answered, failed, longest wait.
sub load_until
{
    my ($t, $done) = @_;

    my ($answered, $failed, $longest, $n) = (0, 0, 0, 0);
    my $end = time + 30 + ALL_KILLED + RELOADS_KILLED;

    while (!-e $done && time < $end) {
        my $began = Time::HiRes::time();
        my $answer = eval { $t->connection(timeout => 5)->request('GET', '/',
            [ @PAGE, 'X-User' => "$$-" . $n++ % 50 ]) };
        my $took = Time::HiRes::time() - $began;

        $answer ? $answered++ : $failed++;
        $longest = $took if $took > $longest;
    }

    return [ $answered, $failed, $longest ];
}


# Load by CLIENTS processes while one more does the work.
sub under_load
{
    my ($t, $work) = @_;

    my $done = $t->dir . '/done';
    unlink $done;

    my @results = Ux::parallel(CLIENTS + 1, sub {
        return load_until($t, $done) if $_[0] < CLIENTS;
        my $said = eval { $work->() };
        Ux::_write($done, '');
        die $@ unless defined $said;
        return $said;
    });
    my $said = pop @results;
    my @sum = (0, 0, 0);

    for my $result (@results) {
        $sum[$_] += $result->[$_] for 0, 1;
        $sum[2] = $result->[2] if $result->[2] > $sum[2];
    }

    return ($said, @sum);
}


sub all_workers_killed
{
    my $t = shop('', workers => 2)->start;
    my ($longest, $answered, $failed) = under_load($t, sub {
        my $longest = 0;

        for (1 .. ALL_KILLED) {
            Time::HiRes::sleep(0.1);
            my %old = map { $_ => 1 } $t->workers;
            my $began = Time::HiRes::time();
            kill 'KILL', keys %old;
            Ux::wait_until(sub {
                my @now = $t->workers;
                return @now == 2 && !grep { $old{$_} } @now;
            });
            $t->get('/uxstats') or die "not served\n";
            my $took = Time::HiRes::time() - $began;
            $longest = $took if $took > $longest;
        }

        return $longest;
    });

    cmp_ok($longest, '<', HANGS, 'all workers killed at once: served again');
    cmp_ok($answered, '>', 50, 'all workers killed at once: under load');

    my $zone = $t->stats('/zones/shop');
    my $counted = $zone->{events}{view_item}
        + $zone->{visitors}{contended_drop};

    cmp_ok($counted, '>=', $answered,
        'all workers killed at once: every answered event is counted');
    cmp_ok($counted, '<=', $answered + $failed,
        'all workers killed at once: none that was not asked');
    UxScale::figure('all workers killed at once', times => ALL_KILLED,
        acknowledged => $answered, lost => $counted < $answered
        ? $answered - $counted : 0,
        's until served again, at most' => sprintf '%.3f', $longest);
    $t->no_alerts('all workers killed at once: no alert but of that',
        qr/exited on signal 9/);

    return;
}


# Its workers go on, also when one dies that nobody will reap or replace.
sub master_killed
{
    my %sum = map { $_ => 0 } qw(answered cut lost hung longest);

    for (1 .. MASTERS) {
        my $one = a_master_killed();
        $sum{$_} += $one->{$_} for qw(answered cut lost);
        $sum{hung}++ if $one->{longest} > 1;
        $sum{longest} = $one->{longest} if $one->{longest} > $sum{longest};
    }

    UxScale::figure('masters killed, then workers', masters => MASTERS,
        workers => 2 * MASTERS, acknowledged => $sum{answered},
        cut => $sum{cut}, lost => $sum{lost},
        'times a request took over 1 s' => $sum{hung},
        's at most' => sprintf '%.3f', $sum{longest});

    return;
}


sub a_master_killed
{
    my $t = shop('', workers => 3)->start;
    @orphans = $t->workers;

    kill 'KILL', $t->pid;
    waitpid $t->pid, 0;

    my ($killed, $answered, $failed, $longest) = under_load($t, sub {
        Time::HiRes::sleep(0.2);
        kill 'KILL', $orphans[0];
        Time::HiRes::sleep(0.2);
        kill 'KILL', $orphans[1];
        Time::HiRes::sleep(0.4);
        return 2;
    });

    my $lost = $answered - events($t)
        - $t->stats('/zones/shop/visitors')->{contended_drop};

    cmp_ok($answered, '>', 100, 'master killed: its workers go on');
    cmp_ok($longest, '<', HANGS, 'master killed: nobody is kept waiting');
    cmp_ok($failed, '<=', 2 * CLIENTS,
        'master killed: only requests of killed workers are cut');
    cmp_ok($lost, '<=', 0, 'master killed: every answered event is counted');

    kill 'QUIT', $orphans[2];
    ok(Ux::wait_until(sub { !-e "/proc/$orphans[2]" }),
        'master killed: the last one ends when told to');
    $t->no_alerts('master killed: no alerts', qr/exited on signal 9/);

    return { answered => $answered, cut => $failed, longest => $longest,
        lost => $lost > 0 ? $lost : 0 };
}


# The master holds no lock that a worker may have died with.
sub a_worker_killed_in_a_reload
{
    my $t = shop('', workers => 2)->start;

    my ($longest, $answered) = under_load($t, sub {
        my $longest = 0;

        for (1 .. RELOADS_KILLED) {
            my %old = map { $_ => 1 } $t->workers;
            my ($victim) = keys %old;

            Time::HiRes::sleep(0.05);
            kill 'STOP', $victim;
            my $began = Time::HiRes::time();
            $t->signal('HUP');
            Time::HiRes::sleep(0.02);
            kill 'KILL', $victim;
            Ux::wait_until(sub {
                my @now = $t->workers;
                return @now == 2 && !grep { $old{$_} } @now;
            });
            my $took = Time::HiRes::time() - $began;
            $longest = $took if $took > $longest;
        }

        return $longest;
    });

    cmp_ok($longest, '<', HANGS,
        'a worker killed in a reload: the reload ends');

    my $zone = $t->stats('/zones/shop');

    cmp_ok($zone->{events}{view_item} + $zone->{visitors}{contended_drop},
        '>=', $answered,
        'a worker killed in a reload: every answered event is counted');
    UxScale::figure('workers killed in a reload', times => RELOADS_KILLED,
        's a reload took, at most' => sprintf '%.3f', $longest);
    $t->no_alerts('a worker killed in a reload: no alert but of that',
        qr/exited on signal 9/);

    return;
}


# Logs that are moved, configurations that are tested, files that are open.
sub beside_a_running_server
{
    my $t = shop('', workers => 2)->start;
    my @workers = sort $t->workers;

    $t->get('/', @PAGE, 'X-User' => "u$_") for 1 .. 20;
    my $before = $t->stats('/zones/shop');
    my $files = files_of(@workers);

    rename $t->dir . '/access.log', $t->dir . '/access.log.1';
    $t->signal('USR1');
    ok(Ux::wait_until(sub { -e $t->dir . '/access.log' }),
        'USR1: the log is a new one');

    for my $option ('-t', '-T') {
        for (1 .. 10) {
            my $pid = $t->_spawn($t->dir . '/tested', $option, '-c',
                $t->dir . '/nginx.conf');
            waitpid $pid, 0;
            $? == 0 or fail("nginx $option");
        }
    }

    my $after = $t->stats('/zones/shop');

    is($after->{$_}, $before->{$_}, "USR1, nginx -t: $_ as before")
        for qw(size_bytes returned_after_eviction purchases_without_id);
    is_deeply($after->{$_}, $before->{$_}, "USR1, nginx -t: $_ as before")
        for qw(events visitors discarded);
    is_deeply([ sort $t->workers ], \@workers,
        'USR1, nginx -t: the same workers');

    $t->get('/', @PAGE, 'X-User' => "u$_") for 1 .. 200;
    is(events($t), 220, 'USR1, nginx -t: counting goes on');
    ok(Ux::wait_until(sub { files_of(@workers) <= $files }),
        'no file is left open by a request');
    $t->no_alerts('beside a running server: no alerts');

    return;
}


sub files_of
{
    my $n = 0;

    for my $pid (@_) {
        $n += () = glob "/proc/$pid/fd/*";
    }

    return $n;
}


# They ask and do not read: others are served, and theirs is whole later.
sub slow_readers
{
    my $many = join '', map { "ux_experiment e$_ { variant a 1; variant b 1; "
        . "metric view_item; metric purchase; }\n" } 1 .. 120;
    my $t = Ux::nginx(conf => <<"CONF")->start;
ux_zone shop 64m;
$many
server {
    listen 127.0.0.1:%%PORT%% sndbuf=16k;
    ux_visitor_key \$http_x_user;
    location / { ux_expose e1; ux_event view_item; return 204; }
    location /uxstats { ux_stats; }
}
CONF
    my $size = length $t->get('/uxstats')->body;
    my @slow = map { $t->connection(timeout => 20) } 1 .. 10;

    $_->send($_->request_text('GET', '/uxstats')) for @slow;

    # none of them has been read yet

    my @answers = map { $t->get('/', @PAGE, 'X-User' => "u$_") } 1 .. 100;

    is(scalar(grep { $_ && $_->status == 204 } @answers), 100,
        'slow readers: others are served');
    is(events($t), 100, 'slow readers: and counted');
    cmp_ok($size, '>', 200_000,
        'slow readers: more than the system takes off nginx');

    my @whole = grep {
        my $answer = $_->read_response;
        my $zone = $answer && eval { $answer->json->{zones}{shop} };
        $zone && keys %{ $zone->{experiments} } == 120
            && ($zone->{events}{view_item} || 0) < 100;
    } @slow;
    is(scalar @whole, 10,
        'slow readers: each is told all, as of when it asked');
    $t->no_alerts('slow readers: no alerts');

    return;
}


sub a_module_of_another_nginx
{
    my $text = Ux::_read(Ux::module());
    my ($signature) = $text =~ /(\d,\d,\d,[01]{30,40})\0/;

    SKIP: {
        skip 'no signature of nginx in the module', 1 unless $signature;

        my $t = shop('');
        my $other = $t->dir . '/other.so';
        (my $flipped = $signature) =~ tr/01/10/;

        $text =~ s/\Q$signature\E/$flipped/g;
        Ux::_write($other, $text);
        $t->{module} = $other;

        my ($passed, $said) = $t->test_config($t->{conf});
        ok(!$passed && $said =~ /is not binary compatible/,
            'a module of another nginx is refused') or diag($said);
    }

    return;
}


# nginx itself writes headers there; nobody may write a key.
sub a_debug_log
{
    my $key = 'a-key-of-ours-4711-4711-4711';
    my $t = shop("error_log %%DIR%%/debug.log debug;\nux_secret keys;\n");

    Ux::_write($t->dir . '/keys', "$key\n");
    chmod 0600, $t->dir . '/keys';
    $t->start;

    my $cookie = $t->get('/', @PAGE)->set_cookie('ux');

    $t->get('/', @PAGE, Cookie => "ux=$cookie");
    $t->get('/', @PAGE, Cookie => "ux=${cookie}0");
    $t->get('/', @PAGE, Cookie => "ux=$cookie", 'X-User' => 'login');
    ok($t->reload, 'a debug log: a reload');
    $t->get('/', @PAGE, Cookie => "ux=$cookie");

    my $log = Ux::_read($t->dir . '/debug.log') . $t->error_log;
    my $hex = unpack 'H*', $key;

    like($log, qr/\[(?:debug|notice)\]/, 'a debug log: something is in it');
    unlike($log, qr/\Q$key\E|$hex/i, 'a debug log: no key is in it');
    $t->no_alerts('a debug log: no alerts');

    return;
}
