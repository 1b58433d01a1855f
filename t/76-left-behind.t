#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# What is left behind: files without a lock, files that cannot be removed once
# they were taken over, and the configuration before where there is no master.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use POSIX ();
use Test::More;
use Time::HiRes ();
use UxDisk;
use UxScale;
use UxSnapshotShop;
use UxTest;


my $disk = UxDisk->new;

UxScale::run(qw(
    files_without_a_lock
    removals_that_fail
    no_master
));

undef $disk;

done_testing();


# For three looks nothing has been saved.
sub quiet
{
    my ($dir, @files) = @_;

    return Ux::wait_until(sub {
        my @now = @files ? @files : glob "$dir/*.{counters,visitors}";
        return @now && !grep {
            ((Time::HiRes::stat $_)[9] || 9e9) > Time::HiRes::time() - 3
        } @now;
    }, 30);
}


# As of a backup.  What the first has taken over it has not yet saved.
sub files_without_a_lock
{
    SKIP: {
        skip 'no compiler for a disk that fails', 1 unless $disk;

        my $old = shop()->start;
        visit($old, 1, 20);
        $old->stop;
        my @files = glob dir($old) . '/shop.*';

        my $t = shop()->start;
        my $dir = dir($t);
        ok(quiet($dir), 'no lock: nothing is to be saved');
        $disk->hold;

        for my $file (grep { !/\.lock$/ } @files) {
            Ux::_write($dir . $file =~ s{.*(?=/)}{}r, Ux::_read($file));
        }

        ok(Ux::wait_until(sub { $disk->held && views($t) == 20 }),
            'no lock: one has taken it over');
        my $other = shop(path => $dir)->start;
        is(views($other), 0, 'no lock: and nobody else does');
        $disk->release;
        ok(Ux::wait_until(sub { 2 == (() = glob "$dir/*.lock") }),
            'no lock: it is removed in the end');
        ok(has_looked($dir, $t, $other), 'no lock: both have looked');
        is(views($t) + views($other), 21, 'no lock: nothing counts twice');

        $_->no_alerts('no lock: no alerts') for $old, $t, $other;

        # a start, too

        my $again = shop();
        mkdir dir($again), 0700;

        for my $file (grep { !/\.lock$/ } @files) {
            Ux::_write(dir($again) . $file =~ s{.*(?=/)}{}r,
                Ux::_read($file));
        }

        $again->start;
        is(views($again), 20, 'no lock: a start restores');
        is(scalar(() = glob dir($again) . '/*.lock'), 1,
            'no lock: and leaves none behind');
        $again->no_alerts('no lock: no alerts of a start');
    }

    return;
}


# Said once, counted, and not saved again and again for it.
sub removals_that_fail
{
    SKIP: {
        skip 'no compiler for a disk that fails', 1 unless $disk;

        my $t = shop()->start;
        my $dir = dir($t);
        my ($own) = glob "$dir/*.counters";
        $disk->fail(unlink => POSIX::EPERM());
        my $old = shop(path => $dir)->start;
        visit($old, 1, 20);
        $old->stop;
        ok(Ux::wait_until(sub { views($t) == 20 }),
            'a removal fails: taken over all the same');
        my $snapshot = sub { $t->stats('/zones/shop/snapshot') };
        ok(Ux::wait_until(sub { $snapshot->()->{errors} >= 2 }, 30),
            'a removal fails: tried again, and errors are counted');
        ok(quiet($dir, $own), 'a removal fails: and nothing is saved for it');
        is(errors($t), 1, 'a removal fails: said once')
            or diag($t->error_log);
        is(views($t), 20, 'a removal fails: counted once');

        my $other = shop(path => $dir)->start;
        is(views($other), 0, 'a removal fails: and by nobody else');
        $other->stop;

        $disk->mend;
        ok(Ux::wait_until(sub { 1 == (() = glob "$dir/*.counters") }, 60),
            'a removal fails: done, as soon as it can be');
        is(errors($t), 1, 'a removal fails: nothing more is said');
        is(views($t), 20, 'a removal fails: still counted once');
        $_->no_alerts('a removal fails: no alerts') for $t, $old, $other;
    }

    return;
}


# nginx accepts no connection after that; those that it has go on.
sub no_master
{
    my %reload = (
        'same size' => conf(more => 'inactive=3d'),
        'another size' => conf(size => '4m'),
        'no zone' => conf(zone => ''),
    );

    for my $what (sort keys %reload) {
        my $t = shop(nginx => { workers => 1,
            globals => "master_process off;\n" })->start;
        my $dir = dir($t);
        my $kept = $t->connection;
        my $ask = sub {
            my $answer = $kept->request(@_);
            return $answer && $answer->status;
        };
        my $uuids = sub { my %seen = map { m{/shop\.(\w+)\.visitors$}
            ? ($1 => 1) : () } glob "$dir/*"; return sort keys %seen };
        $ask->('GET', '/', [ 'X-User' => "u$_" ]) for 1 .. 10;
        my ($uuid) = $uuids->();
        my $age = sub {
            $kept->request('GET', '/uxstats/api/1/zones/shop/snapshot')
                ->json->{age_seconds};
        };
        $t->{conf} = $reload{$what};
        Ux::_write($t->dir . '/nginx.conf', $t->_configuration($t->{conf}));
        Ux::_write($t->dir . '/mark', '');
        my $began = Time::HiRes::time();
        $t->signal('HUP');
        ok(Ux::wait_until(sub { $t->error_log =~ /reconfiguring/ }),
            "no master, $what: a reload");
        is($ask->('GET', '/', [ 'X-User' => 'u11' ]), 204,
            "no master, $what: a connection is served");

        # the timers have run since

        ok(Ux::wait_until(sub {
            return $age->() < Time::HiRes::time() - $began - 1.5;
        }), "no master, $what: it saves") if $what eq 'same size';
        ok(Ux::wait_until(sub {
            my @now = $uuids->();
            return @now == 1 && $now[0] ne $uuid;
        }), "no master, $what: the new one has all, and the old one goes")
            if $what eq 'another size';
        ok(Ux::wait_until(sub {
            return -1 if ($ask->('GET', '/nothing') || 0) != 204;
            return Time::HiRes::time() > $began + 2;
        }) == 1, "no master, $what: as long as timers take")
            if $what eq 'no zone';
        is($ask->('GET', '/', [ 'X-User' => 'u12' ]), 204,
            "no master, $what: it still is");
        $kept->close;
        kill 'QUIT', $t->pid;
        ok(ended($t) && $? == 0, "no master, $what: it ends as it should");
        $t->{conf} = conf();
        $t->start;
        is(views($t), $what eq 'same size' ? 12 : 10,
            "no master, $what: what was counted is there");
        $t->no_alerts("no master, $what: no alerts",
            qr/worker_connections are not enough/);
    }

    return;
}
