#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# A disk that fails, or takes its time, while a server runs: each call of a
# save fails by each error a disk may give, until it is mended.  Meanwhile
# every request is served and counted, what was saved before is there and can
# be loaded, and /uxstats says what is wrong; afterwards the server goes on by
# itself.  And what else runs out: descriptors, connections, memory.
#
# TEST_UX_DISK_ALL=1: every call with every error, not one call or error each.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use IO::Socket::INET;
use POSIX ();
use Test::More;
use Time::HiRes ();
use UxDisk;
use UxTest;


my %ERRORS = (ENOSPC => POSIX::ENOSPC(), EIO => POSIX::EIO(),
    EDQUOT => POSIX::EDQUOT(), EMFILE => POSIX::EMFILE(),
    ENFILE => POSIX::ENFILE(), EROFS => POSIX::EROFS(),
    EACCES => POSIX::EACCES(), EINTR => POSIX::EINTR());

my $CONF = <<'CONF';
ux_zone shop 2m %%SNAPSHOT%%;
ux_experiment layout { variant control 50; variant one 50; window off; }
server {
    listen 127.0.0.1:%%PORT%%;
    ux_visitor_key $http_x_user;
    ux_expose all requests=any;
    location / { ux_event view_item; return 204; }
    location /uxstats { ux_stats; }
}
CONF

connections_run_out();
descriptors_run_out();
the_zone_is_touched();

my $disk = UxDisk->new;

SKIP: {
    skip 'no compiler for a disk that fails', 1 unless $disk;

    every_call_fails();
    what_is_no_error();
    an_fsync_that_takes_long();
    undef $disk;
}

done_testing();


sub shop
{
    my (%option) = @_;

    my $size = delete $option{size} || '2m';
    my $snapshot = 'snapshot=%%DIR%%/state interval=100ms journeys=200ms';

    return Ux::nginx(workers => 2, %option,
        conf => $CONF =~ s/2m %%SNAPSHOT%%/$size $snapshot/r);
}


my $visitors = 0;

# So many new visitors; true if each was answered.
sub visit
{
    my ($t, $n) = @_;

    my $served = grep {
        my $answer = $t->get('/', 'X-User' => 'u' . $visitors++);
        $answer && $answer->status == 204;
    } 1 .. $n;

    return $served == $n;
}


sub views { return $_[0]->stats('/zones/shop/events')->{view_item} || 0 }


sub snapshot { return $_[0]->stats('/zones/shop/snapshot') }


# A save has begun since, and is in files.
sub saved
{
    my ($t) = @_;

    my $now = Time::HiRes::time();

    return Ux::wait_until(sub {
        my $age = snapshot($t)->{age_seconds};
        return defined $age && $age < Time::HiRes::time() - $now - 0.02;
    });
}


# Every call is tried, and every error; both with the other in turn.
sub cases
{
    my @calls = grep { $_ ne 'unlink' } UxDisk::calls();
    my @errors = sort keys %ERRORS;

    my @all = map { my $call = $_; map { [ $call, $_ ] } @errors } @calls;

    # a write that was interrupted is done again by who wrote

    return grep { "@$_" ne 'write EINTR' } $ENV{TEST_UX_DISK_ALL} ? @all
        : map { [ $calls[$_ % @calls], $errors[$_ % @errors] ] }
        0 .. ($#calls > $#errors ? $#calls : $#errors);
}


sub every_call_fails
{
    my $t = shop()->start;
    my $began = Time::HiRes::time();
    my $count = 0;

    for my $case (cases()) {
        my ($call, $error) = @$case;
        my $what = "$call: $error";

        visit($t, 5);
        $count += 5;
        saved($t);

        my ($saved, $before) = ($count, snapshot($t)->{errors});
        $disk->fail($call => $ERRORS{$error});
        ok(visit($t, 10), "$what: requests are served");
        $count += 10;
        is(views($t), $count, "$what: and counted");
        ok(Ux::wait_until(sub { $disk->failures >= 2
            && snapshot($t)->{errors} >= $before + 2 }),
            "$what: again and again it fails, and errors are counted")
            or diag($disk->failures);

        if ($call ne 'list') {
            ok(Ux::wait_until(sub { snapshot($t)->{age_seconds} > 0.5 }),
                "$what: the age grows");
            my $there = loaded($t);
            ok($there >= $saved && $there <= $count,
                "$what: what was saved can be loaded") or diag($there);
        }

        $disk->mend;
        ok(saved($t), "$what: mended, it goes on alone");
        is_deeply([ grep { /\.new$/ } glob $t->dir . '/state/*' ], [],
            "$what: nothing is left half-way");
    }

    # one a minute: the longer this takes, the more there may be

    my $lines = () = $t->error_log =~ /\[error\]/g;
    my $minutes = int((Time::HiRes::time() - $began) / 60);
    ok($lines >= 1 && $lines <= 1 + $minutes,
        'every call: one error line, not one a save')
        or diag($t->error_log =~ /(.*\[error\].*)/g);

    $t->stop;
    $t->start;
    is(views($t), $count, 'every call: nothing was lost in the end');
    $t->no_alerts('every call: no alerts');

    return;
}


# As every_call_fails(), with what is a nuisance and no error.
sub what_is_no_error
{
    my $t = shop()->start;
    my $count = 0;

    for my $case ([ write => 'short' ], [ write => 'interrupted' ],
        [ unlink => POSIX::EACCES() ])
    {
        my ($call, $fault) = @$case;
        my $what = $call eq 'write' ? "write: $fault" : 'nothing to remove';
        my $before = snapshot($t)->{errors};

        $disk->fail($call => $fault);
        visit($t, 20);
        $count += 20;
        ok(saved($t), "$what: saved all the same");
        ok(Ux::wait_until(sub { $disk->failures >= 1 }), "$what: it happened");
        is(snapshot($t)->{errors}, $before, "$what: no error");
        is(loaded($t), $count, "$what: all of it can be loaded");
        $disk->mend;
    }

    $t->no_alerts('no error: no alerts');

    return;
}


# What another server has that is given the files there are at this moment.
sub loaded
{
    my ($t) = @_;

    local $ENV{TEST_NGINX_PRELOAD} = $disk->{preload} || '';

    my ($from, $other) = ($t->dir . '/state', shop());
    my ($saver) = grep { Ux::_read("/proc/$_/cmdline") =~ /cache manager/ }
        $t->_children;

    Ux::halt($saver);
    system 'cp', '-R', $from, $other->dir . '/state';
    kill 'CONT', $saver;

    $other->start;
    my $views = views($other);
    $other->no_alerts('the other server: no alerts');

    return $views;
}


# One that has begun is waited for by the process that saves, and by no other.
sub an_fsync_that_takes_long
{
    my $t = shop()->start;
    my $count = 50;

    visit($t, 50);
    saved($t);

    hold($t, \$count);
    ok(visit($t, 300), 'slow disk: requests are served');
    $count += 300;
    is(views($t), $count, 'slow disk: and counted');
    ok($disk->held, 'slow disk: all the while one fsync has not ended');

    ok($t->reload, 'slow disk: a reload is done meanwhile');
    ok(visit($t, 20), 'slow disk: new workers serve');
    $count += 20;
    ok($disk->held, 'slow disk: still the same fsync');
    $disk->release;
    ok(saved($t), 'slow disk: the new process saves when it is over');

    # asked to stop: it waits for the disk, and no longer

    hold($t, \$count);
    $t->signal('QUIT');
    Ux::wait_until(sub { !$t->workers && !$t->leaving });
    ok($disk->held && kill(0, $t->pid), 'slow disk: QUIT waits for it');
    $disk->release;
    ok(Ux::wait_until(sub {
        waitpid($t->pid, POSIX::WNOHANG()) != 0 }, 30),
        'slow disk: and ends with it');
    $t->{pid} = 0;
    $t->start;
    is(views($t), $count, 'slow disk: QUIT: nothing is lost');

    hold($t, \$count);
    $t->signal('TERM');
    ok(Ux::wait_until(sub {
        waitpid($t->pid, POSIX::WNOHANG()) != 0 }, 30),
        'slow disk: TERM does not wait');
    ok($disk->held, 'slow disk: though it has not ended');
    $disk->release;
    $t->{pid} = 0;
    $t->start;
    is(views($t), $count, 'slow disk: TERM: nothing is lost');
    $t->no_alerts('slow disk: no alerts but of what TERM killed',
        qr/exited on signal 9/);

    return;
}


# The process that saves waits in an fsync.
sub hold
{
    my ($t, $count) = @_;

    $disk->hold;
    visit($t, 1);
    $$count++;
    ok(Ux::wait_until(sub { $disk->held }), 'slow disk: an fsync has begun');

    return;
}


# Idle clients use up all connections; those who come are refused by nginx.
sub connections_run_out
{
    my $http =
        $CONF =~ s/%%SNAPSHOT%%/snapshot=%%DIR%%\/state interval=100ms/r;
    my $module = Ux::module();
    my $t = Ux::nginx(full => 1, workers => 1, conf => <<"CONF")->start;
load_module $module;
@{[ $> == 0 ? 'user root;' : '' ]}
pid %%DIR%%/nginx.pid;
error_log %%DIR%%/error.log info;
worker_processes 1;
events { worker_connections 40; }
http { access_log off; $http }
CONF
    run_out($t, 'connections', qr/worker_connections are not enough/);

    return;
}


sub descriptors_run_out
{
    my $t = shop(workers => 1, globals => "worker_rlimit_nofile 40;\n")->start;

    run_out($t, 'descriptors', qr/\(24: Too many open files\)/);

    return;
}


sub run_out
{
    my ($t, $what, $alert) = @_;

    ok(visit($t, 20), "$what: served before");
    my ($worker) = $t->workers;
    my $before = descriptors($worker);

    my @idle = map { IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => $t->port, Proto => 'tcp') } 1 .. 60;
    ok(Ux::wait_until(sub { $t->error_log =~ $alert }),
        "$what: all are used up");
    undef @idle;

    my $served = 20;
    ok(Ux::wait_until(sub { visit($t, 1) && ++$served }),
        "$what: free again, requests are served");
    ok(visit($t, 20), "$what: one after the other");
    is(views($t), $served + 20, "$what: every answered one is counted");
    ok(saved($t), "$what: and saved");
    is_deeply([ $t->workers ], [ $worker ], "$what: by the same worker");
    ok(Ux::wait_until(sub { descriptors($worker) <= $before }),
        "$what: that holds no more files than before")
        or diag($before, ' ', descriptors($worker));
    $t->stop;
    $t->start;
    is(views($t), $served + 20, "$what: all is there after a restart");
    $t->no_alerts("$what: no other alert", $alert);

    return;
}


sub descriptors { return scalar(() = glob "/proc/$_[0]/fd/*") }


# A fault of memory would come when a visitor does, else.
sub the_zone_is_touched
{
    my $t = shop(size => '8m')->start;

    # the master's view of it: it filled it before it forked anybody

    my @maps = split /\n(?=[0-9a-f]+-[0-9a-f]+ )/,
        Ux::_read('/proc/' . $t->pid . '/smaps');
    my ($zone) = grep { /^\S+ rw-s .*\nSize: +8192 kB/ } @maps;

    ok($zone, 'memory: the zone is found');
    is(($zone || '') =~ /^Rss: +(\d+) kB/m && $1, 8192,
        'memory: there from the start, all of it');
    $t->no_alerts('memory: no alerts');

    return;
}
