#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# The snapshot directory moved away under a server that is then stopped,
# resized or in the midst of a save, and another one after a reload: nobody
# takes over what somebody still counts, nothing counts twice, and nothing is
# lost without a word.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use Time::HiRes ();
use UxDisk;
use UxScale;
use UxSnapshotShop;
use UxTest;


my $disk = UxDisk->new;

UxScale::run(qw(
    moved_then_stopped
    stopped_then_moved
    moved_then_resized
    moved_while_saving
    another_directory_while_saving
));

undef $disk;

done_testing();


# All that was counted until now is in files.
sub saved
{
    my ($t) = @_;

    my $now = Time::HiRes::time();

    return Ux::wait_until(sub {
        my $age = $t->stats('/zones/shop/snapshot')->{age_seconds};
        return defined $age && $age < Time::HiRes::time() - $now - 0.02;
    });
}


sub children
{
    my ($t, $pattern) = @_;

    return grep { Ux::_read("/proc/$_/cmdline") =~ $pattern } $t->_children;
}


# Connections, one a worker, each with a part of a request of user $n and the
# next: a worker cannot end before it is whole.
sub hold
{
    my ($t, $n) = @_;

    my %held;

    for (1, 2) {
        Ux::halt(keys %held);
        my $connection = $t->connection;
        my $answer = $connection->request('GET', '/', [ 'X-User', 'held' ]);
        kill 'CONT', keys %held;
        my $text = $connection->request_text('GET', '/',
            [ 'X-User', 'u' . $n++ ]);
        $connection->send(substr $text, 0, -2);
        $held{ $answer->header('X-Worker') } = $connection;
    }

    return \%held;
}


sub let_go
{
    my (@held) = @_;

    return scalar grep {
        $_->send("\r\n");
        my $answer = $_->read_response('GET');
        $_->close;
        $answer && $answer->status == 204;
    } @held;
}


# Does the process have the lock that is in the directory now?
sub locked
{
    my ($pid, $dir) = @_;

    my %named = map { join(':', (stat $_)[0, 1]) => 1 } glob "$dir/*.lock";

    return grep { my @is = stat $_; @is && $named{"$is[0]:$is[1]"} }
        glob "/proc/$pid/fd/*";
}


# As an operator does who wants to begin anew: files and lock are made again.
# The processes see nothing of the moment in which there is no directory.
sub move_away
{
    my ($dir, @processes) = @_;

    Ux::halt(@processes);
    rename $dir, "$dir.away" or die "rename: $!\n";
    mkdir $dir, 0700;
    kill 'CONT', @processes;

    return;
}


sub written { return (2 == grep { -s } glob "$_[0]/*.{counters,visitors}") }


# The workers that finish what they have hold the new lock, and all they count
# is there in the end.
sub moved_then_stopped
{
    my $t = shop()->start;
    my $dir = dir($t);
    visit($t, 1, 20);
    saved($t);
    move_away($dir, $t->_children);
    ok(Ux::wait_until(sub { written($dir) }),
        'moved, then stopped: written again');
    my $held = hold($t, 101);
    ok(Ux::wait_until(sub { 2 == grep { locked($_, $dir) } keys %$held }),
        'moved, then stopped: the workers have the lock that is there');

    my $before = views($t);
    my $other = shop(nginx => { workers => 1 }, path => $dir)->start;
    saved($t);
    $t->signal('QUIT');
    ok(Ux::wait_until(sub { !children($t, qr/cache manager/) }),
        'moved, then stopped: there is no cache manager any more');

    my $own = views($other);
    ok(has_looked($dir, $other), 'moved, then stopped: another one looks');
    is(views($other), $own + 1,
        'moved, then stopped: it takes over nobody who lives');

    is(let_go(values %$held), 2, 'moved, then stopped: the workers answer');
    ok(ended($t), 'moved, then stopped: it ends');
    ok(Ux::wait_until(sub { views($other) == $before + 2 + $own + 1 }),
        'moved, then stopped: every number is there')
        or diag(views($other) . " of $before");
    is(errors($t) + errors($other), 0, 'moved, then stopped: no error');
    $t->no_alerts('moved, then stopped: no alerts');
    $other->no_alerts('moved, then stopped: no alerts of the other');

    return;
}


# Nobody is left to notice but those who finish what they have: none of them
# saves before all have the lock.
sub stopped_then_moved
{
    my $t = shop()->start;
    my $dir = dir($t);
    visit($t, 1, 20);
    saved($t);
    my $held = hold($t, 101);
    my @workers = keys %$held;
    my $before = views($t);
    my @managers = children($t, qr/cache manager/);

    Ux::halt(@managers);
    move_away($dir);
    my $other = shop(nginx => { workers => 1 }, path => $dir)->start;
    $t->signal('QUIT');
    kill 'KILL', @managers;
    ok(Ux::wait_until(sub { 2 == grep { locked($_, $dir) } @workers }),
        'stopped, then moved: each worker takes the lock anew');
    ok(Ux::wait_until(sub { 2 <= grep { -s } glob "$dir/*.counters" }),
        'stopped, then moved: and they save');

    is(let_go($held->{$workers[0]}), 1, 'stopped, then moved: one answers');
    ok(Ux::wait_until(sub { !grep { $_ == $workers[0] } $t->leaving }),
        'stopped, then moved: and has ended');
    my $own = views($other);
    ok(has_looked($dir, $other), 'stopped, then moved: another one looks');
    is(views($other), $own + 1,
        'stopped, then moved: it takes over nobody who lives');

    # the master, who would save for the last one, does not have the lock

    kill 'STOP', $t->pid;
    is(let_go($held->{$workers[1]}), 1, 'stopped, then moved: so the last');
    ok(Ux::wait_until(sub { views($other) >= $before + $own + 1 }),
        'stopped, then moved: and is taken over');
    kill 'CONT', $t->pid;
    ok(ended($t), 'stopped, then moved: it ends');
    ok(has_looked($dir, $other), 'stopped, then moved: one looks again');
    is(views($other), $before + 2 + $own + 2,
        'stopped, then moved: every number is there');
    $t->no_alerts('stopped, then moved: no alerts', qr/exited on signal 9/);
    $other->no_alerts('stopped, then moved: no alerts of the other');

    return;
}


# The master does not know the lock that its workers have.
sub moved_then_resized
{
    my $t = shop()->start;
    my $dir = dir($t);
    visit($t, 1, 20);
    saved($t);
    move_away($dir, $t->_children);
    Ux::wait_until(sub { written($dir) });
    my $held = hold($t, 101);
    my $before = views($t);
    my $seen = length $t->error_log;
    ok($t->reload(conf => conf(size => '4m')), 'moved, then resized: reload');
    like(substr($t->error_log, $seen),
        qr/\[warn\].*carried over as of now.*is lost/,
        'moved, then resized: what is lost is said');
    let_go(values %$held);
    ok(Ux::wait_until(sub { !$t->leaving }),
        'moved, then resized: the old workers end');
    has_looked($dir, $t);
    is(views($t), $before + 1, 'moved, then resized: nothing else is');
    $t->no_alerts('moved, then resized: no alerts');

    return;
}


sub slow_save
{
    my ($t, $from, $what) = @_;

    $disk->hold;
    visit($t, $from, $from);

    return ok(Ux::wait_until(sub { $disk->held }), "$what: a save goes on");
}


sub moved_while_saving
{
    SKIP: {
        skip 'no compiler for a disk that fails', 1 unless $disk;

        for my $what ('the directory', 'the files') {
            my $name = "$what moved in a save";
            my $t = shop()->start;
            my $dir = dir($t);
            visit($t, 1, 20);
            saved($t);
            slow_save($t, 21, $name);

            if ($what eq 'the files') {
                rename $_, "$_-20300101" for glob "$dir/shop.*";

            } else {
                move_away($dir, $t->_children);
            }

            $disk->release;
            ok(Ux::wait_until(sub { written($dir)
                && 1 == (() = glob "$dir/*.lock") }),
                "$name: both files and the lock are there again");
            ok(saved($t), "$name: it saves");
            $t->kill_tree;
            $t->start;
            is(views($t), 21, "$name: every number is there");
            $t->no_alerts("$name: no alerts");
        }
    }

    return;
}


# The old manager writes once more where it began to.
sub another_directory_while_saving
{
    SKIP: {
        skip 'no compiler for a disk that fails', 1 unless $disk;

        my $t = shop()->start;
        my $dir = dir($t);
        visit($t, 1, 20);
        saved($t);
        slow_save($t, 21, 'another directory');
        ok($t->reload(conf => conf(path => '%%DIR%%/state2')),
            'another directory: a reload');
        ok($disk->held, 'another directory: the old one still saves');
        $disk->release;
        ok(Ux::wait_until(sub { written("${dir}2") }),
            'another directory: all is there');
        ok(Ux::wait_until(sub { !(() = glob "$dir/shop.*") }),
            'another directory: and nothing is left in the first')
            or diag(join ' ', glob "$dir/shop.*");

        visit($t, 22, 30);
        my $other = shop(path => $dir)->start;
        $t->stop;
        ok(has_looked($dir, $other), 'another directory: one looks there');
        is(views($other), 1, 'another directory: nothing counts twice');
        $t->start;
        is(views($t), 30, 'another directory: every number is there');
        $t->no_alerts('another directory: no alerts');
        $other->no_alerts('another directory: no alerts of the other');
    }

    return;
}
