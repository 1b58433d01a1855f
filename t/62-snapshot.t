#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# Snapshots: what was counted is there again after a stop, a whole tree of
# processes killed, a binary upgrade and its roll-back, another size; one
# directory for two servers; and nobody is counted twice.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use Time::HiRes ();
use UxProcesses;
use UxScale;
use UxTest;

use constant { CLIENTS => 3, INTERVAL => 0.2, JOURNEYS => 0.5,
    TREES => UxScale::count('TREES', 8),
    SAVERS => UxScale::count('SAVERS', 4) };


UxScale::run(qw(
    a_restart
    a_single_process
    the_whole_tree_killed
    an_upgrade
    an_upgrade_rolled_back
    the_master_killed
    other_sizes
    helpers_killed
    a_save_killed
    two_servers
    another_configuration
    another_directory
    nginx_t
));

done_testing();


sub conf
{
    my (%option) = @_;

    my $size = $option{size} || '8m';
    my $snapshot = exists $option{snapshot} ? $option{snapshot}
        : 'snapshot=%%DIR%%/state';
    my $experiments = $option{experiments} || <<'CONF';
ux_experiment layout { variant control 50; variant one 30; variant two 20;
    window off; }
CONF

    return <<"CONF";
ux_zone shop $size $snapshot interval=200ms journeys=500ms;
$experiments
ux_funnel checkout {
    step view_item; step add_to_cart; step purchase;
    cart add_to_cart within=60m;
}
server {
    listen 127.0.0.1:%%PORT%% reuseport;
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

    return Ux::nginx(workers => 2, %option, conf => conf(%option));
}


sub visit
{
    my ($t, $path, @users) = @_;

    my %told;

    for my $user (@users) {
        my $response = $t->get($path, 'X-User' => $user);
        die "$path of $user failed\n"
            unless $response && $response->status == 204;
        $told{$user} = $response->header('X-Layout');
    }

    return \%told;
}


sub users { return map { "$_[0]-$_" } 1 .. $_[1] }


# All but what moves with the clock or tells of the snapshot itself.
sub numbers
{
    my ($t, $requests) = @_;

    Ux::wait_until(sub {
        $t->stats('/zones/shop/http/requests') >= $requests }) if $requests;
    $t->rest;

    my $zone = $t->stats('/zones/shop');
    delete $zone->{$_} for qw(snapshot size_bytes);
    delete $zone->{visitors}{capacity};
    delete $_->{runtime_seconds} for values %{ $zone->{experiments} };

    return $zone;
}


sub files { return map { s{.*/}{}r } sort glob "$_[0]/shop.*" }


# Incarnations that have files.
sub incarnations
{
    my ($dir) = @_;

    my %seen = map { /^shop\.([0-9a-f]{32})\./ ? ($1 => 1) : () } files($dir);

    my @seen = sort keys %seen;

    return @seen;
}


# Some of everything: 40 viewed, 20 have a cart, 10 purchased for 12.50.
sub shop_for_a_while
{
    my ($t, $name) = @_;

    my @users = users($name, 40);
    my $told = visit($t, '/', @users);
    visit($t, '/cart', @users[0 .. 19]);
    visit($t, '/buy?value=1.25', @users[0 .. 9]);

    return $told;
}


sub known_again
{
    my ($t, $what, $told, $reason) = @_;

    my $now = visit($t, '/', sort keys %$told);
    my @other = grep { $now->{$_} !~ /^(\S+) (\S+)$/
        || $1 ne (split / /, $told->{$_})[0]
        || $2 !~ ($reason || qr/^cached$/) } keys %$told;

    return is_deeply(\@other, [], "$what: everybody keeps the variant");
}


sub a_restart
{
    my $t = shop()->start;
    my $told = shop_for_a_while($t, 'stop');
    my $before = numbers($t, 70);

    is($before->{events}{purchase}, 10, 'restart: there is something to keep');

    my $snapshot = $t->stats('/zones/shop/snapshot');
    is($snapshot->{path}, $t->dir . '/state', 'restart: the path is told');
    ok(!$snapshot->{restored}, 'restart: nothing to restore at first');
    ok(Ux::wait_until(sub {
        -s (glob $t->dir . '/state/shop.*.visitors')[0] > 2000 }),
        'restart: visitors are written while it runs');
    ok(Ux::wait_until(sub {
        $t->stats('/zones/shop/snapshot/age_seconds') < 1 }),
        'restart: and it stays up to date');

    for my $round (1 .. 3) {
        my ($was) = incarnations($t->dir . '/state');

        $t->stop;
        $t->start;

        is_deeply(numbers($t), $before, "restart $round: every number");
        ok($t->stats('/zones/shop/snapshot/restored'),
            "restart $round: restored");
        my @now = incarnations($t->dir . '/state');
        ok(@now == 1 && $now[0] ne $was,
            "restart $round: files of its own, the others are gone");
    }

    known_again($t, 'restart', $told);
    my $after = numbers($t, 110);
    is($after->{visitors}{tracked}, 40, 'restart: no record is made anew');
    is($after->{experiments}{layout}{variants}{$_}{visitors},
        $before->{experiments}{layout}{variants}{$_}{visitors},
        "restart: nobody is counted twice in $_") for qw(control one two);
    visit($t, '/buy?value=1', 'stop-15');
    is(numbers($t)->{experiments}{layout}{variants}{
        (split / /, $told->{'stop-15'})[0] }{funnels}{checkout}{carts}
        {purchased}, 1 + $before->{experiments}{layout}{variants}{
        (split / /, $told->{'stop-15'})[0] }{funnels}{checkout}{carts}
        {purchased}, 'restart: a cart from before is purchased');

    # as after a crash between taking over and removing

    my $dir = $t->dir . '/state';
    $t->stop;
    $before = do { $t->start; numbers($t) };
    $t->stop;
    my %kept = map { $_ => Ux::_read("$dir/$_") } files($dir);
    $t->start;
    Ux::_write("$dir/$_", $kept{$_}) for keys %kept;
    ok(Ux::wait_until(sub { incarnations($dir) == 1 }),
        'restart: files that come back are removed');
    is_deeply(numbers($t), $before, 'restart: and not counted twice');
    $t->stop;
    Ux::_write("$dir/$_", $kept{$_}) for keys %kept;
    $t->start;
    is_deeply(numbers($t), $before, 'restart: nor by the next start');
    is(scalar incarnations($dir), 1, 'restart: which removes them');
    $t->no_alerts('restart: no alerts');

    return;
}


sub a_single_process
{
    my $t = shop(workers => 1, globals => "master_process off;\n");
    $t->start;
    my $told = shop_for_a_while($t, 'single');
    my $before = numbers($t, 70);

    ok(Ux::wait_until(sub {
        -s (glob $t->dir . '/state/shop.*.visitors')[0] > 2000 }),
        'one process: writes while it runs');
    shop_for_a_while($t, 'more');
    $before = numbers($t, 140);
    is($before->{visitors}{tracked}, 80, 'one process: still counts');

    $t->stop;
    $t->start;
    is_deeply(numbers($t), $before, 'one process: every number is back');
    known_again($t, 'one process', $told);
    $t->no_alerts('one process: no alerts');

    return;
}


# Clients note when each answer came; loss is what was answered and is not
# counted.  What was answered before a save began is in it, however late it
# comes on a busy machine; how late is a figure.
sub the_whole_tree_killed
{
    my $t = shop()->start;
    my ($changed, $counted, $answered, $lost_all, $too_many) = (0) x 5;
    my (%told, @seconds);

    for my $round (1 .. TREES) {
        my $done = $t->dir . '/done';
        unlink $done;

        my @results = Ux::parallel(CLIENTS + 1, sub {
            return kill_tree_after($t, 1.2 + rand 0.8, $done)
                if $_[0] == CLIENTS;
            return ask_until($t, $_[0], $done);
        });
        my $killed = pop @results;

        waitpid $t->pid, 0;
        $t->{pid} = 0;
        my $saved = begun($t->dir . '/state');
        $t->start;

        my $now = $t->stats('/zones/shop/events/view_item');
        my @answers = map { @{ $_->{times} } } @results;
        my $lost = $counted + @answers - $now;
        my $late = grep { $_ > $saved } @answers;
        my $since = $lost > 0
            ? $killed - (sort { $b <=> $a } @answers)[$lost - 1] : 0;

        push @seconds, $since;
        $answered += @answers;
        $lost_all += $lost if $lost > 0;
        $too_many++ if $since > INTERVAL + 0.5;
        ok($lost <= $late, "tree killed $round: $lost of " . @answers
            . " answered events lost, at most $late may be");
        ok($lost >= -CLIENTS - 1,
            "tree killed $round: and none is counted that was not asked for");
        $counted = $now;

        for my $result (@results) {
            for my $user (keys %{ $result->{told} }) {
                $changed++ if ($told{$user} ||= $result->{told}{$user})
                    ne $result->{told}{$user};
            }
        }
    }

    UxScale::figure('whole trees killed', kills => TREES, acknowledged =>
        $answered, lost => $lost_all,
        'trees that lost more than T+W' => $too_many,
        's lost (least/middle/p95/most) of ' . INTERVAL . ' s between saves'
        => UxScale::spread(@seconds));
    is($changed, 0, 'tree killed: nobody saw two variants');

    my $numbers = numbers($t);
    is($numbers->{experiments}{layout}{crossover_visitors}, 0,
        'tree killed: no crossover');
    cmp_ok($numbers->{visitors}{tracked}, '<=', scalar keys %told,
        'tree killed: no visitor twice');
    cmp_ok($numbers->{visitors}{tracked}, '>', 0.5 * keys %told,
        'tree killed: most are known');
    $t->no_alerts('tree killed: no alerts');

    return;
}


sub kill_tree_after
{
    my ($t, $seconds, $done) = @_;

    Time::HiRes::sleep($seconds);
    my $now = $t->kill_tree;
    Ux::_write($done, '');

    return $now;
}


sub ask_until
{
    my ($t, $client, $done) = @_;

    my (%told, @times);
    my $end = time + 20 + 3 * SAVERS;

    for (my $n = 0; !-e $done && time < $end; $n++) {
        my $user = "$client-" . $n % 300;
        my $response = eval { $t->get('/', 'X-User' => $user) };

        next unless $response && $response->status == 204;

        push @times, Time::HiRes::time();
        ($told{$user}) = split / /, $response->header('X-Layout');
    }

    return { times => \@times, told => \%told };
}


# Both serve; the old one goes; the numbers are those of both.
sub an_upgrade
{
    my $t = shop(globals => Ux::INHERITED)->start_detached;
    my $told = shop_for_a_while($t, 'before');
    numbers($t, 70);

    my $old = $t->pid;
    my $new = $t->upgrade;

    my $both = shop_for_a_while($t, 'both');
    known_again($t, 'upgrade: both serve', $told, qr/^(?:cached|split)$/);

    $t->quit_detached;
    $t->{pid} = $new;

    ok(Ux::wait_until(sub {
        $t->stats('/zones/shop/events/view_item') >= 120 }),
        'upgrade: the new one takes over what the old one counted');

    my $numbers = numbers($t, 180);
    is($numbers->{events}{view_item}, 120, 'upgrade: no view is lost');
    is($numbers->{events}{purchase}, 20, 'upgrade: no purchase');
    is($numbers->{http}{requests}, 180, 'upgrade: no request');
    is($numbers->{visitors}{tracked}, 80, 'upgrade: nobody is there twice');
    my ($visitors, $revenue, $crossover) = (0, 0,
        $numbers->{experiments}{layout}{crossover_visitors});
    for my $variant (values %{ $numbers->{experiments}{layout}{variants} }) {
        $visitors += $variant->{visitors};
        $revenue += $variant->{metrics}{revenue}{sum};
    }
    is($visitors, 80, 'upgrade: nobody is counted twice');
    is($revenue, 25, 'upgrade: nor any money');
    is($crossover, 0, 'upgrade: no crossover');
    known_again($t, 'upgrade', { %$told, %$both });

    ok(Ux::wait_until(sub { incarnations($t->dir . '/state') == 1 }),
        'upgrade: one set of files is left');

    $t->quit_detached;
    $t->start;
    is($t->stats('/zones/shop/events/view_item'), 200,
        'upgrade: and all of it is there after a restart');
    $t->no_alerts('upgrade: no alerts');

    return;
}


sub an_upgrade_rolled_back
{
    my $t = shop(globals => Ux::INHERITED)->start_detached;
    my $told = shop_for_a_while($t, 'before');

    my $new = $t->upgrade;
    shop_for_a_while($t, 'both');

    kill 'QUIT', $new;
    ok(Ux::gone($new), 'rolled back: the new one is gone');
    ok(Ux::wait_until(sub {
        $t->stats('/zones/shop/events/view_item') >= 80 }),
        'rolled back: the old one takes over what it counted');

    my $numbers = numbers($t, 140);
    is($numbers->{events}{view_item}, 80, 'rolled back: no view is lost');
    is($numbers->{events}{purchase}, 20, 'rolled back: no purchase');
    is($numbers->{http}{requests}, 140, 'rolled back: no request');
    is($numbers->{visitors}{tracked}, 80, 'rolled back: nobody is twice');
    known_again($t, 'rolled back', $told);
    $t->quit_detached;
    $t->no_alerts('rolled back: no alerts');

    return;
}


# Its workers go on, are saved, and end one by one; then all starts again.
sub the_master_killed
{
    my $t = shop()->start;
    my $told = shop_for_a_while($t, 'master');
    my @left = $t->_children;
    Ux::stray(@left);

    kill 'KILL', $t->pid;
    waitpid $t->pid, 0;

    my $more = shop_for_a_while($t, 'orphan');
    numbers($t, 140);

    my @workers = grep { Ux::_read("/proc/$_/cmdline") =~ /worker/ } @left;
    my ($manager) = grep { Ux::_read("/proc/$_/cmdline") =~ /manager/ } @left;
    is(scalar @workers, 2, 'master killed: two workers');

    # the new one is there before the old workers have gone

    $t->{pid} = 0;
    $t->start;
    my $third = shop_for_a_while($t, 'third');
    kill 'QUIT', @workers;
    Ux::gone($_) for @workers;
    ok(Ux::gone($manager),
        'master killed: its manager ends after the workers');

    ok(Ux::wait_until(sub {
        $t->stats('/zones/shop/events/view_item') >= 120 }),
        'master killed: the new server takes over the orphans');
    my $numbers = numbers($t, 210);
    is($numbers->{events}{view_item}, 120, 'master killed: no view is lost');
    is($numbers->{http}{requests}, 210, 'master killed: no request');
    is($numbers->{visitors}{tracked}, 120, 'master killed: nobody is twice');
    known_again($t, 'master killed', { %$told, %$more, %$third });
    ok(Ux::wait_until(sub { incarnations($t->dir . '/state') == 1 }),
        'master killed: one set of files is left');

    # without a manager the last worker saves

    @left = $t->_children;
    Ux::stray(@left);
    @workers = grep { Ux::_read("/proc/$_/cmdline") =~ /worker/ } @left;
    kill 'KILL', $t->pid, grep { Ux::_read("/proc/$_/cmdline") =~ /manager/ }
        @left;
    waitpid $t->pid, 0;
    shop_for_a_while($t, 'alone');
    numbers($t, 400);
    kill 'QUIT', @workers;
    Ux::gone($_) for @workers;

    $t->{pid} = 0;
    $t->start;
    is($t->stats('/zones/shop/events/view_item'), 280,
        'master and manager killed: the last worker has saved all');

    $t->no_alerts('master killed: no alerts');

    return;
}


sub other_sizes
{
    for my $snapshot ('snapshot=%%DIR%%/state', '') {
        my $what = $snapshot ? 'with files' : 'without files';
        my $t = shop(snapshot => $snapshot)->start;
        my $told = shop_for_a_while($t, 'size');
        my $before = numbers($t, 70);

        for my $size ('16m', '2m') {
            my $seen = length $t->error_log;
            ok($t->reload(conf => conf(snapshot => $snapshot,
                size => $size)), "other size, $what: $size: reloaded");
            is_deeply(numbers($t), $before,
                "other size, $what: $size: every number");
            like(substr($t->error_log, $seen),
                $snapshot ? qr/\[notice\].*"shop": carried over, from/
                    : qr/\[warn\].*"shop": carried over as of now/,
                "other size, $what: $size: and said so");
        }

        is($t->stats('/zones/shop/size_bytes'), 2 * 1024 * 1024,
            "other size, $what: it is the new one");
        known_again($t, "other size, $what", $told);
        is(numbers($t, 110)->{visitors}{tracked}, 40,
            "other size, $what: no record is made anew");

        if ($snapshot) {
            ok(Ux::wait_until(sub { incarnations($t->dir . '/state') == 1 }),
                "other size, $what: one set of files is left");
            $before = numbers($t);
            $t->stop;
            $t->start;
            is_deeply(numbers($t), $before,
                "other size, $what: a restart keeps it");
        }

        $t->no_alerts("other size, $what: no alerts");
    }

    return;
}


sub helpers_killed
{
    my $t = shop()->start;
    my $told = shop_for_a_while($t, 'helper');
    my $before = numbers($t, 70);

    for my $round (1 .. 5) {
        my ($manager) = grep { Ux::_read("/proc/$_/cmdline") =~ /manager/ }
            $t->_children;
        kill 'KILL', $manager;
        ok(Ux::wait_until(sub {
            grep { $_ != $manager
                && Ux::_read("/proc/$_/cmdline") =~ /manager/ }
                $t->_children }), "helper killed $round: there is a new one");
    }

    my @old = $t->workers;
    kill 'KILL', $old[0];
    Ux::wait_until(sub { 2 == grep { $_ != $old[0] } $t->workers });

    shop_for_a_while($t, 'later');
    $before = numbers($t, 140);
    is($before->{events}{view_item}, 80, 'helper killed: no view is lost');
    ok(Ux::wait_until(sub {
        $t->stats('/zones/shop/snapshot/age_seconds') < 1 }),
        'helper killed: the new one saves');

    $t->stop;
    $t->start;
    is_deeply(numbers($t), $before, 'helper killed: every number is back');
    $t->no_alerts('helper killed: no alert but of that',
        qr/exited on signal 9/);

    return;
}


# The process that saves is killed at any moment.  What is in the directory
# then, another server starts with: whole, and no older than at the last kill.
sub a_save_killed
{
    my $t = shop()->start;
    my $done = $t->dir . '/done';

    my @results = Ux::parallel(CLIENTS, sub {
        return ask_until($t, $_[0], $done) if $_[0] > 0;
        my $said = eval { kill_savers($t) };
        my $error = $@;
        Ux::_write($done, '');
        die $error unless $said;
        return $said;
    });
    my $said = shift @results;
    my $answered = 0;
    $answered += @{ $_->{times} } for @results;

    is($said->{kills}, SAVERS, 'save killed: that often');
    is($said->{backwards}, 0, 'save killed: what is saved never gets older');
    is($said->{beyond}, 0, 'save killed: nor tells of more than there was');
    is($said->{refused}, 0, 'save killed: every file is whole');

    my $counted = $t->stats('/zones/shop/events/view_item');
    cmp_ok($counted, '>=', $answered - numbers($t)->{visitors}{contended_drop},
        'save killed: every answered event is counted');
    UxScale::figure('savers killed', kills => $said->{kills}, acknowledged =>
        $answered, 'files not whole' => $said->{refused},
        backwards => $said->{backwards});
    $t->no_alerts('save killed: no alert but of that',
        qr/exited on signal 9/);

    return;
}


sub kill_savers
{
    my ($t) = @_;

    my $other = shop(workers => 1);
    my %said = (kills => 0, backwards => 0, beyond => 0, refused => 0);
    my $last = 0;
    my $state = $other->dir . '/state';

    for (1 .. SAVERS) {
        my $manager = Ux::wait_until(sub { manager_of($t) })
            or last;
        Time::HiRes::sleep(rand 0.3);

        my $written = written($t->dir . '/state');

        # nobody makes a new one, or saves, while files are copied
        my @still = ($t->pid, $t->workers);
        Ux::halt(@still);
        $said{kills} += kill 'KILL', $manager;
        Ux::gone($manager);
        copy_of($t->dir . '/state', $state);
        kill 'CONT', @still;

        my $copied = written($state);
        $other->start;
        my $found = $other->stats('/zones/shop/events/view_item');
        $other->stop;
        if ($other->error_log =~ /(\[error\].*)/) {
            $said{refused}++;
            diag("save killed: $1");
        }
        unlink $other->dir . '/error.log';

        my $now = $t->stats('/zones/shop/events/view_item');
        $said{backwards}++
            if $found < $last || $copied < $written || $copied == 0;
        $said{beyond}++ if $found > $now;
        $last = $found;
    }

    return \%said;
}


# The newest save of counters began no earlier than the one before it ended.
sub begun
{
    my ($dir) = @_;

    my @ends = sort { $b <=> $a }
        map { (Time::HiRes::stat($_))[9] || 0 }
        grep { /counters(?:\.1)?$/ } glob "$dir/shop.*";

    # as exact as a file's time is
    return @ends > 1 ? $ends[1] - 0.02 : 0;
}


# When the newest of the counters' files was written, in ms; files are replaced
# whole, so that each is, but a listing may miss one.
sub written
{
    my ($dir) = @_;

    my $newest = 0;

    for my $path (map { ($_, "$_.1") } map { s/\.1$//r }
        glob "$dir/shop.*.counters*")
    {
        my $head = Ux::_read($path);
        next if $path =~ /new/ || length $head < 72;
        my $ms = unpack 'Q<', substr $head, 64, 8;
        $newest = $ms if $ms > $newest;
    }

    return $newest;
}


sub manager_of
{
    my ($t) = @_;

    return (grep { Ux::_read("/proc/$_/cmdline") =~ /manager/ }
        $t->_children)[0];
}


# All but locks, which say that somebody is there.
sub copy_of
{
    my ($from, $to) = @_;

    mkdir $to, 0700;
    unlink glob "$to/*";
    for my $name (grep { !/\.lock$/ } files($from)) {
        Ux::_write("$to/$name", Ux::_read("$from/$name"));
        chmod 0600, "$to/$name";
    }

    return;
}


# Each has files of its own; who stays takes over who goes.
sub two_servers
{
    my $t = shop()->start;
    my $dir = $t->dir . '/state';
    my $other = shop(snapshot => "snapshot=$dir")->start;

    shop_for_a_while($t, 'first');
    shop_for_a_while($other, 'second');

    is($t->stats('/zones/shop/events/view_item'), 40,
        'two servers: each counts its own');
    is(scalar incarnations($dir), 2, 'two servers: files of both');

    $t->stop;
    ok(Ux::wait_until(sub {
        $other->stats('/zones/shop/events')->{view_item} == 80 }),
        'two servers: the other takes over');
    ok(Ux::wait_until(sub { incarnations($dir) == 1 }),
        'two servers: and removes the files');
    is(numbers($other)->{events}{purchase}, 20, 'two servers: all of it');

    $t->start;
    is($t->stats('/zones/shop/events')->{view_item}, 0,
        'two servers: what the other has is not counted twice');

    $other->kill_tree;
    $other->{checked} = 1;
    ok(Ux::wait_until(sub {
        $t->stats('/zones/shop/events')->{view_item} == 80 }),
        'two servers: nor lost with it');
    $t->no_alerts('two servers: no alerts');

    return;
}


# What was saved is matched by name, never by place.
sub another_configuration
{
    my $banner = 'ux_experiment banner { variant off 1; variant on 1; '
        . 'window off; }';
    my $layout = 'ux_experiment layout { variant control 50; variant one 30;'
        . ' variant two 20; window off; }';
    my $t = shop(experiments => "$layout\n$banner\n")->start;
    my $told = shop_for_a_while($t, 'conf');
    my $before = numbers($t, 70);

    $t->stop;
    $t->{conf} = conf(experiments => "ux_experiment early { variant a 1; "
        . "variant b 1; metric wish; }\n$banner\nux_experiment layout { "
        . "variant control 50; variant two 20; variant one 30; window off; "
        . "}\n");
    $t->start;
    my $after = numbers($t);
    is_deeply($after->{experiments}{$_}, $before->{experiments}{$_},
        "another configuration: $_: every number") for qw(layout banner);
    is($after->{experiments}{early}{variants}{a}{visitors}, 0,
        'another configuration: the new experiment is at zero');
    known_again($t, 'another configuration', $told);

    $t->stop;
    $t->{conf} = conf(experiments => "ux_experiment layout { variant control "
        . "50; variant one 30; variant second 20; window off; }\n");
    $t->start;
    $after = $t->stats('/zones/shop/experiments');
    is($after->{layout}{variants}{$_}{visitors},
        $before->{experiments}{layout}{variants}{$_}{visitors},
        "another configuration: $_ as before") for qw(control one);
    is($after->{layout}{variants}{second}{visitors}, 0,
        'another configuration: a renamed variant is a new one');
    is($after->{layout}{epoch}, 2, 'another configuration: a new epoch');
    is($after->{banner}{state}, 'removed',
        'another configuration: what is removed stays to be seen');
    $t->no_alerts('another configuration: no alerts');

    return;
}


# A reload moves the files, and takes them away.
sub another_directory
{
    my $t = shop(snapshot => '')->start;
    my $told = shop_for_a_while($t, 'moved');
    my $before = numbers($t, 70);

    for my $dir ('one', 'two') {
        my $late = held_manager($t, $dir);

        $before = numbers($t, 140) if $late;
        ok($t->reload(conf => conf(snapshot => "snapshot=%%DIR%%/$dir")),
            "directory $dir: reloaded");
        ended($late);
        is_deeply(numbers($t), $before, "directory $dir: every number");
        is(scalar incarnations($t->dir . "/$dir"), 1,
            "directory $dir: files are there");
    }

    is(scalar incarnations($t->dir . '/one'), 0,
        'another directory: and no more where they were');
    $t->stop;
    $t->start;
    is_deeply(numbers($t), $before, 'another directory: a restart');
    known_again($t, 'another directory', $told);
    $t->no_alerts('another directory: no alerts');

    return;
}


# The cache manager that is stopped, with something to save that is due when
# it goes on: the reload will be over then.
sub held_manager
{
    my ($t, $name) = @_;

    my ($manager) = grep { Ux::_read("/proc/$_/cmdline") =~ /cache manager/ }
        $t->_children;

    return undef if !$manager;

    Ux::halt($manager);
    shop_for_a_while($t, "late$name");

    return $manager;
}


sub ended
{
    my ($pid) = @_;

    return if !$pid;

    kill 'CONT', $pid;

    return Ux::wait_until(sub {
        Ux::_read("/proc/$pid/cmdline") !~ /cache manager/ });
}


sub nginx_t
{
    my $t = shop();
    my $dir = $t->dir . '/state';

    my ($passed) = $t->test_config($t->{conf});
    ok($passed && !-e $dir, 'nginx -t: makes no directory');

    $t->start;
    shop_for_a_while($t, 'test');
    my $before = numbers($t, 70);

    # a save renames: at a given moment a file may be there only as the one
    # before, and a listing may catch neither

    my $kinds = sub {
        my %seen = map { s/\.(?:1|new)$//r => 1 } files($dir);
        return join ' ', sort keys %seen;
    };
    ok(Ux::wait_until(sub { $kinds->() =~ /\.counters .*\.visitors$/ }),
        'nginx -t: beside a server that has saved all');
    my $before_it = $kinds->();

    for (1 .. 20) {
        ($passed) = $t->test_config(conf(size => '16m'));
        $passed or fail('nginx -t');
    }

    ok(Ux::wait_until(sub { $kinds->() eq $before_it }),
        'nginx -t: beside a server changes nothing')
        or diag "before: $before_it\nafter: " . $kinds->();
    $t->stop;

    my %stat = map { $_ => join ',', (stat "$dir/$_")[1, 7, 9] } files($dir);
    for (1 .. 20) {
        ($passed) = $t->test_config($t->{conf});
        $passed or fail('nginx -t');
    }
    is_deeply({ map { $_ => join ',', (stat "$dir/$_")[1, 7, 9] }
        files($dir) }, \%stat, 'nginx -t: without a server, no file');

    $t->start;
    is_deeply(numbers($t), $before, 'nginx -t: and no number');
    $t->no_alerts('nginx -t: no alerts');

    return;
}
