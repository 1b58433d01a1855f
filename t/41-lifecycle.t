#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# The life of an experiment: whom it aims at, when it starts and stops, what
# an operator does to it while it runs, what each change means for visitors,
# epochs and the primary result, and what the reload says of it beforehand.
#
# Visitors are known by a key, so each is confirmed by its first request.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use POSIX ();
use Test::More;
use UxClock;
use UxCount;
use UxTest;


my $HALVES = 'variant control 50; variant one 50;';
my $THIRDS = 'variant control 50; variant one 30; variant two 20;';

my $clock = UxClock->new;
my $t;

# a server for each: every epoch takes room for good

for my $part (\&targets_aim, \&experiments_start, \&experiments_stop,
    \&pauses_keep, \&closed_ones_take_nobody_new, \&served_ones_are_over,
    \&versions_begin_anew, \&weight_zero_takes_nobody_new,
    \&dropped_variants_move, \&unsticky_ones_follow, \&epochs_are_opened,
    \&epochs_are_not_opened, \&the_result_restarts,
    \&reloads_tell_who_moves, \&removed_ones_stay_a_while)
{
    $t = Ux::nginx(conf => conf())->start;
    $part->();
    $t->no_alerts;
}

removed_ones_go();

done_testing();


# experiments: { name => lines }, the variants of $HALVES where lines name
# none; goals are purchases.
sub conf
{
    my (%option) = @_;

    my %experiments = %{ $option{experiments} || {} };
    my $zone = $option{zone} || '';
    my $conf = "ux_zone shop 32m experiments=16 $zone;\n";
    my $told = '';

    $experiments{other} = 'variant x 1; variant y 1;';
    for my $name (sort keys %experiments) {
        my $lines = $experiments{$name};
        $lines = "$HALVES $lines" unless $lines =~ /\bvariant /;
        $lines .= ' goal purchase;' unless $lines =~ /\bgoal /;
        $conf .= "ux_experiment $name { $lines }\n";
        $told .= "    add_header X-\u$name"
            . " \"\$ux_variant_$name \$ux_reason_$name\" always;\n";
    }

    return $conf . <<'CONF' . "$told}\n";
map $http_x_country $of_the_alps { at 1; ch 1; default 0; }
ux_funnel checkout { step add_to_cart; step purchase; cart add_to_cart; }

server {
    listen 127.0.0.1:%%PORT%%;
    ux_visitor_key $http_x_user;
    ux_expose all requests=any;
    add_header X-All "$ux_variants" always;
    location / { return 204; }
    location /cart { ux_event add_to_cart; return 204; }
    location /buy { ux_event purchase value=2; return 204; }
    location /uxstats { ux_stats; }
CONF
}


# The part's experiment goes by its own name; says whether it was taken.
sub configure
{
    my (%experiments) = @_;

    my $option = delete $experiments{option} || {};

    return ok($t->reload(conf => conf(experiments => \%experiments,
        %$option)), 'reloaded: ' . join(' ', map { s/^\s+|\s+$//gr }
            map { "$_ { $experiments{$_} }" } sort keys %experiments));
}


# "variant reason" that each of them is told of an experiment.
sub visit
{
    my ($name, $path, @users) = @_;

    my %told;
    my $connection = $t->connection;

    for my $user (@users) {
        my $response = $connection->request('GET', $path,
            [ 'X-User' => $user ]);
        $told{$user} = $response->header("X-\u$name");
    }

    return \%told;
}


sub variant_of { my ($told) = @_;
    return { map { $_ => (split / /, $told->{$_})[0] } keys %$told } }


# All the reasons there are, in a line.
sub reasons
{
    my ($told) = @_;

    my %seen = map { (split / /, $_)[1] => 1 } values %$told;

    return join ' ', sort keys %seen;
}


sub variants_seen
{
    my ($told) = @_;

    my %seen = map { (split / /, $_)[0] => 1 } values %$told;

    return join ' ', sort keys %seen;
}


sub users { return map { Ux::newcomer() } 1 .. $_[0] }
sub experiment { return $t->stats("/zones/shop/experiments/$_[0]") }


# Numbers of an experiment that only its visitors change.
sub counts
{
    my ($name, $stats) = @_;

    my %counts;
    my $variants = ($stats || experiment($name))->{variants};

    for my $variant (keys %$variants) {
        my $v = $variants->{$variant};
        $counts{$variant} = join ' ', $v->{assigned}, $v->{visitors},
            map { defined $_ ? $_ : '-' }
            $v->{metrics}{purchase}{visitors},
            $v->{metrics}{purchase}{events}, $v->{metrics}{revenue}{sum};
    }

    return \%counts;
}


sub visitors_of
{
    my ($name) = @_;

    my $sum = 0;
    $sum += $_->{visitors} for values %{ experiment($name)->{variants} };

    return $sum;
}


sub epochs_of
{
    my ($name) = @_;

    return @{ experiment($name)->{epochs} };
}


sub moment { return POSIX::strftime('%Y-%m-%dT%H:%M:%SZ', gmtime $_[0]) }


sub targets_aim
{
    my $told = sub {
        my ($name, @headers) = @_;
        my $answer = $t->get('/', 'X-User' => Ux::newcomer(), @headers);
        return map { scalar $answer->header($_) } "X-\u$name", 'X-All';
    };

    configure(any => 'target $http_x_any;',
        some => 'target $http_x_country de at "two words";',
        both => 'target $http_x_any; target $http_x_country de at;',
        mapped => 'target $of_the_alps;');

    for my $case (
        [ any => 1, 'X-Any' => 1 ],
        [ any => 1, 'X-Any' => 'no' ],
        [ any => 0, 'X-Any' => '0' ],
        [ any => 0, 'X-Any' => '' ],
        [ any => 0 ],
        [ some => 1, 'X-Country' => 'de' ],
        [ some => 1, 'X-Country' => 'at' ],
        [ some => 1, 'X-Country' => 'two words' ],
        [ some => 0, 'X-Country' => 'DE' ],
        [ some => 0, 'X-Country' => 'd' ],
        [ some => 0, 'X-Country' => 'det' ],
        [ some => 0, 'X-Country' => 'fr' ],
        [ some => 0, 'X-Country' => '' ],
        [ some => 0, 'X-Country' => '1' ],
        [ some => 0 ],
        [ both => 1, 'X-Any' => 1, 'X-Country' => 'at' ],
        [ both => 0, 'X-Any' => 1, 'X-Country' => 'fr' ],
        [ both => 0, 'X-Any' => 0, 'X-Country' => 'at' ],
        [ both => 0, 'X-Any' => 1 ],
        [ both => 0, 'X-Country' => 'at' ],
        [ mapped => 1, 'X-Country' => 'ch' ],
        [ mapped => 0, 'X-Country' => 'de' ])
    {
        my ($name, $met, @headers) = @$case;
        my $what = "target, $name, " . join ' ', @headers;
        my ($answer, $all) = $told->($name, @headers);

        like($answer, $met ? qr/^(?:control|one) targeting_match$/
            : qr/^default$/, $what . ($met ? ': met' : ': not met'));
        is($all =~ /\b$name=/ ? 1 : 0, $met,
            "$what: in the list or left out");
    }

    my @users = users(20);
    my $connection = $t->connection;
    my %told = map { $_ => $connection->request('GET', '/',
        [ 'X-User' => $_, 'X-Any' => 1 ])->header('X-Any') } @users;

    is_deeply(variant_of(\%told),
        Ux::assign('any:control=50,one=50', \@users),
        'target met: the variant that the hash gives');

    my $before = counts('any');
    is_deeply(variant_of(visit('any', '/', @users)), variant_of(\%told),
        'target met no longer: who is recorded keeps the variant');
    is(reasons(visit('any', '/buy', @users)), 'cached',
        'target met no longer: by the record');
    my $sum = 0;
    $sum += (split / /)[2] for values %{ counts('any') };
    is_deeply([ $sum, map { (split / /)[1] } @$before{qw(control one)} ],
        [ 20, map { (split / /)[1] } @{ counts('any') }{qw(control one)} ],
        'target met no longer: who is recorded goes on counting');

    return;
}


sub experiments_start
{
    SKIP: {
        skip 'no compiler to make a clock', 7 unless $clock;
        my $start = int($clock->now) + 3600;

        configure(dawn => 'start ' . moment($start) . ';');

        my @users = users(12);
        my $told = visit('dawn', '/buy', @users);
        is_deeply([ variants_seen($told), reasons($told) ],
            [ 'control', 'disabled' ], 'before start: the control');
        my $dawn = experiment('dawn');
        is_deeply([ $dawn->{state}, $dawn->{started_at},
            $dawn->{runtime_seconds} ], [ 'scheduled', undef, 0 ],
            'before start: it says so');
        is(visitors_of('dawn'), 0, 'before start: nobody is counted');

        $clock->forward(3600);

        my @later;
        Ux::wait_until(sub {
            my ($user) = users(1);
            push @later, $user
                if visit('dawn', '/', $user)->{$user} =~ /split/;
            return scalar @later;
        });
        push @later, users(11);

        $told = visit('dawn', '/', @later);
        is_deeply(variant_of($told), Ux::assign('dawn:control=50,one=50',
            \@later), 'after start: variants, without any reload');
        $dawn = experiment('dawn');
        is_deeply([ $dawn->{state}, $dawn->{started_at} ],
            [ 'running', moment($start) ], 'after start: it says so');
        is(visitors_of('dawn'), 12, 'after start: visitors are counted');
    }

    return;
}


sub experiments_stop
{
    SKIP: {
        skip 'no compiler to make a clock', 9 unless $clock;

        my $stop = int($clock->now) + 3600;
        my @users = users(12);

        configure(dusk => 'window 2h; stop ' . moment($stop) . ';',
            gone => 'stop 2020-01-31T08:00:00Z;');

        my $told = visit('dusk', '/', @users);
        is_deeply([ @{ experiment('dusk') }{qw(state ended_at)} ],
            [ 'running', undef ], 'before stop: it runs');
        is_deeply([ map { experiment('gone')->{$_} } qw(state ended_at) ],
            [ 'closed', '2020-01-31T08:00:00Z' ],
            'stop in the past: it is closed');
        is(visit('gone', '/', @users)->{$users[0]}, 'control disabled',
            'stop in the past: the control');

        $clock->forward(3605);

        my @late = users(8);
        my $new = visit('dusk', '/buy', @late);
        is_deeply([ variants_seen($new), reasons($new) ],
            [ 'control', 'disabled' ], 'after stop: newcomers, the control');
        my $known = visit('dusk', '/buy', @users);
        is_deeply([ variant_of($known), reasons($known) ],
            [ variant_of($told), 'cached' ],
            'after stop: known visitors keep the variant');
        is(visitors_of('dusk'), 12, 'after stop: nobody new is counted');
        my $counts = counts('dusk');
        is_deeply([ sort { $a <=> $b } map { (split / /)[2] }
            values %$counts ], [ sort { $a <=> $b } map { (split / /)[1] }
            values %$counts ],
            'after stop: known visitors count in their window');
        is_deeply([ @{ experiment('dusk') }{qw(state ended_at)} ],
            [ 'closed', moment($stop) ], 'after stop: it says so');

        $clock->forward(7200);
        visit('dusk', '/buy', @users);
        is_deeply(counts('dusk'), $counts,
            'after stop and window: known visitors count no more');
    }

    return;
}


sub pauses_keep
{
    my @users = users(16);

    configure(tea => '');
    my $told = visit('tea', '/', @users);
    my $before = counts('tea');
    is(variants_seen($told), 'control one', 'paused: two variants first');

    configure(tea => 'state paused;');
    is(experiment('tea')->{state}, 'paused', 'paused: it says so');
    my $now = visit('tea', '/buy', @users, users(8));
    is_deeply([ variants_seen($now), reasons($now) ],
        [ 'control', 'disabled' ],
        'paused: the control for everybody, known or not');
    is_deeply(counts('tea'), $before, 'paused: nothing is counted');

    configure(tea => '');
    $now = visit('tea', '/buy', @users);
    is_deeply([ variant_of($now), reasons($now) ],
        [ variant_of($told), 'cached' ],
        'paused no longer: everybody has the variant of before');
    my $sum = 0;
    $sum += (split / /)[2] for values %{ counts('tea') };
    is($sum, 16, 'paused no longer: counting goes on');

    return;
}


sub closed_ones_take_nobody_new
{
    for my $sticky ('on', 'off') {
        my $name = "shut_$sticky";
        my $what = "closed, sticky $sticky";
        my @users = users(16);

        configure($name => "sticky $sticky;");
        my $told = visit($name, '/', @users);

        configure($name => "sticky $sticky; state closed;");
        is(experiment($name)->{state}, 'closed', "$what: it says so");
        my $new = visit($name, '/buy', users(12));
        is_deeply([ variants_seen($new), reasons($new) ],
            [ 'control', 'disabled' ],
            "$what: the control for newcomers");
        my $known = visit($name, '/buy', @users);
        is_deeply(variant_of($known), variant_of($told),
            "$what: known visitors keep the variant");
        unlike(reasons($known), qr/disabled|default/,
            "$what: and the reason says whence it is");
        is(visitors_of($name), 16, "$what: nobody new is counted");
        my $sum = 0;
        $sum += (split / /)[2] for values %{ counts($name) };
        is($sum, 16, "$what: known visitors count");
        is(experiment($name)->{moved_visitors}, 0, "$what: nobody is moved");
    }

    return;
}


sub served_ones_are_over
{
    my @users = users(16);

    configure(won => '');
    my $told = visit('won', '/buy', @users);
    my $before = counts('won');

    configure(won => 'serve one;');
    my $now = visit('won', '/buy', @users, users(8));
    is_deeply([ variants_seen($now), reasons($now) ], [ 'one', 'default' ],
        'serve: the variant for everybody, known or not');
    is($t->get('/')->header('X-Won'), 'one default',
        'serve: for those without a key as well');
    is($t->get('/', 'User-Agent' => 'curl/8.5.0')->header('X-Won'),
        'one default', 'serve: and for bots');
    like($t->get('/')->header('X-All'), qr/\bwon=one\b/,
        'serve: the application is told');
    is_deeply(counts('won'), $before,
        'serve: nothing is counted, the results stay');
    is_deeply([ @{ experiment('won') }{qw(state serve)} ],
        [ 'served', 'one' ], 'serve: it says so');

    configure(won => 'state paused; serve one;');
    is($t->get('/')->header('X-Won'), 'one default',
        'serve: is stronger than a pause');

    configure(won => '');
    is_deeply(variant_of(visit('won', '/', @users)), variant_of($told),
        'serve no longer: everybody has the variant of before');

    return;
}


sub versions_begin_anew
{
    my @users = users(60);

    configure(redone => '');
    my $told = visit('redone', '/buy', @users);
    my $before = counts('redone');
    is(experiment('redone')->{previous}, undef, 'version: none before');

    configure(redone => 'version 2;');
    my $second = experiment('redone');
    is_deeply([ map { s/ .*//r } values %{ counts('redone') } ], [ 0, 0 ],
        'version: counters begin at zero');
    is_deeply([ @{ $second }{qw(version epoch)}, $second->{previous}{version},
        scalar @{ $second->{epochs} } ], [ 2, 1, 1, 1 ],
        'version: it says which');
    is_deeply(counts('redone', $second->{previous}), $before,
        'version: the last one is readable');

    my $now = visit('redone', '/', @users);
    is_deeply(variant_of($now), Ux::assign('redone:control=50,one=50',
        \@users, '--version', 2), 'version: everybody is assigned anew');
    is(reasons($now), 'split', 'version: for the first time');
    my $moved = grep { (split / /, $now->{$_})[0]
        ne (split / /, $told->{$_})[0] } @users;
    cmp_ok($moved, '>', 10, 'version: many to another variant');

    visit('redone', '/buy', @users[0 .. 9]);
    my $stats = experiment('redone');
    is_deeply([ @$stats{qw(moved_visitors crossover_visitors)} ], [ 0, 0 ],
        'version: which is neither moving nor crossing over');
    my $sum = 0;
    $sum += (split / /)[2] for values %{ counts('redone') };
    is($sum, 10, 'version: events count for it');
    is_deeply(counts('redone', $stats->{previous}), $before,
        'version: and no longer for the last one');

    configure(redone => 'version 3;');
    is_deeply([ map { $_->{version} } experiment('redone'),
        experiment('redone')->{previous} ], [ 3, 2 ],
        'version: the last one is the highest below');

    return;
}


sub weight_zero_takes_nobody_new
{
    my @users = users(40);

    configure(nil => $THIRDS);
    my $told = visit('nil', '/', @users);
    my $before = counts('nil');
    is(variants_seen($told), 'control one two', 'weight 0: three first');

    configure(nil => 'variant control 50; variant one 30; variant two 0;');
    my @late = users(40);
    my $new = visit('nil', '/', @late);
    is(variants_seen($new), 'control one', 'weight 0: takes nobody new');
    is_deeply(variant_of($new), Ux::assign('nil:control=50,one=30', \@late),
        'weight 0: the others share as if it were not there');
    is_deeply(variant_of(visit('nil', '/buy', @users)), variant_of($told),
        'weight 0: known visitors keep it');
    my $two = experiment('nil')->{variants}{two};
    is((split / /, $before->{two})[1], $two->{visitors},
        'weight 0: its visitors stay');
    is($two->{metrics}{purchase}{visitors}, $two->{visitors},
        'weight 0: and count');
    is_deeply([ @$two{qw(weight share)} ], [ 0, 0 ],
        'weight 0: it says so');
    is(experiment('nil')->{moved_visitors}, 0, 'weight 0: moves nobody');

    return;
}


sub dropped_variants_move
{
    my @users = users(60);

    configure(drop => $THIRDS);
    my $told = variant_of(visit('drop', '/', @users));
    my $before = counts('drop');
    my @moved = grep { $told->{$_} eq 'two' } @users;
    cmp_ok(scalar @moved, '>', 3, 'dropped: somebody was in it');

    configure(drop => 'variant control 50; variant one 30;');
    my $now = variant_of(visit('drop', '/buy', @users));
    is_deeply([ grep { $now->{$_} ne $told->{$_} } @users ], \@moved,
        'dropped: only its visitors get another variant');
    is_deeply({ map { $_ => $now->{$_} } @moved },
        Ux::assign('drop:control=50,one=30', \@moved),
        'dropped: the one that the hash gives');

    my $stats = experiment('drop');
    is_deeply([ @$stats{qw(moved_visitors crossover_visitors)} ],
        [ scalar @moved, 0 ], 'dropped: they are moved, not crossovers');
    is_deeply(counts('drop'), { map { my ($n) = split / /, $before->{$_};
        ($_ => "$n $n $n $n " . 2 * $n) } qw(control one two) },
        'dropped: everybody counts where it was first');

    visit('drop', '/', @users);
    is(experiment('drop')->{moved_visitors}, scalar @moved,
        'dropped: nobody is moved twice');

    return;
}


sub unsticky_ones_follow
{
    my @users = users(60);

    configure(loose => 'sticky off;');
    my $told = variant_of(visit('loose', '/', @users));
    my $before = counts('loose');

    configure(loose => 'sticky off; variant control 10; variant one 90;');
    my $now = visit('loose', '/buy', @users);
    is_deeply(variant_of($now), Ux::assign('loose:control=10,one=90',
        \@users), 'sticky off: everybody follows the weights');
    is(reasons($now), 'split', 'sticky off: by the hash, not the record');
    my $moved = grep { (split / /, $now->{$_})[0] ne $told->{$_} } @users;
    is(experiment('loose')->{moved_visitors}, $moved,
        'sticky off: who got another variant is moved');
    is_deeply(counts('loose'), { map { my ($n) = split / /, $before->{$_};
        ($_ => "$n $n $n $n " . 2 * $n) } qw(control one) },
        'sticky off: everybody counts where it was first');

    return;
}


sub epochs_are_opened
{
    my $first = 'variant control 50; variant one 50; variant two 0;';
    my @changes = (
        [ 'weights' => 'variant control 20; variant one 80; variant two 0;' ],
        [ 'weights, back again' => $first ],
        [ 'a weight from 0' =>
            'variant control 50; variant one 50; variant two 1;' ],
        [ 'a variant less' => $HALVES ],
        [ 'another name' => 'variant control 50; variant eins 50;' ],
        [ 'traffic' => "$HALVES traffic 50%;" ],
        [ 'salt' => "$HALVES traffic 50%; salt pepper;" ],
        [ 'a layer' => "$HALVES layer page 0-50%;" ],
        [ 'its range' => "$HALVES layer page 0-40%;" ],
        [ 'no layer' => $HALVES ],
        [ 'a target' => "$HALVES target \$http_x_any;" ],
        [ 'its values' => "$HALVES target \$http_x_any 1;" ],
        [ 'no target' => $HALVES ],
        [ 'the control' => 'variant one 50; variant control 50;' ],
    );
    my $n = 1;

    configure(eras => $first);
    visit('eras', '/', users(10));
    my ($epoch) = epochs_of('eras');
    is_deeply($epoch, { epoch => 1, started_at => experiment('eras')
        ->{started_at}, traffic => 1, weights => { control => 50, one => 50,
        two => 0 }, visitors => 10, used => JSON::PP::true },
        'epochs: the first, with all it was');
    like($epoch->{started_at}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
        'epochs: since when');

    for my $change (@changes) {
        my ($what, $lines) = @$change;

        my $seen = length $t->error_log;
        configure(eras => $lines);
        my $stats = experiment('eras');
        my $log = substr $t->error_log, $seen;
        is($log =~ /"eras": epoch \d+ .*other targets/ ? 1 : 0,
            $what =~ /target|values/ ? 1 : 0,
            "epochs: $what: the reload names targets if they changed");
        is_deeply([ $stats->{epoch}, map { $_->{epoch} }
            @{ $stats->{epochs} } ], [ ++$n, 1 .. $n ],
            "epochs: $what: opens one");
        is($stats->{epochs}[0]{visitors}, 10,
            "epochs: $what: visitors stay where they are");
    }

    configure(eras => $first);
    visit('eras', '/', users(5));
    my @epochs = epochs_of('eras');
    is_deeply([ $epochs[-1]{visitors}, $epochs[5]{traffic},
        $epochs[1]{weights} ], [ 5, 1,
        { control => 20, one => 80, two => 0 } ],
        'epochs: each has its own visitors and weights');
    is($epochs[6]{traffic}, 0.5, 'epochs: and traffic');

    return;
}


sub epochs_are_not_opened
{
    my $lines = "$THIRDS traffic 80%; target \$http_x_any a b;"
        . ' layer page 0-50%;';
    my @same = (
        [ 'the same again' => $lines ],
        [ 'weights of another scale' => $lines =~ s/(\d+);/ $1 * 3 . ';'/ger
            =~ s/ (\d+)\d;/ $1;/gr ],
        [ 'weights as fractions' => $lines =~ s/50;/0.5;/r
            =~ s/30;/0.3;/r =~ s/20;/0.20;/r ],
        [ 'other order of lines' => "layer page 0-50%; traffic 80%;"
            . ' variant control 50; variant two 20; variant one 30;'
            . ' target $http_x_any a b;' ],
        [ 'salt that is the default' => "$lines salt even;" ],
        [ 'other metrics' => "$lines metric nps type=mean;" ],
        [ 'a guardrail' => "$lines guardrail refund better=lower;" ],
        [ 'a longer runtime' => "$lines min_runtime 14d;" ],
        [ 'equivalence' => "$lines equivalence 2%;" ],
        [ 'not sticky' => "$lines sticky off;" ],
        [ 'paused' => "$lines state paused;" ],
        [ 'closed' => "$lines state closed;" ],
        [ 'served' => "$lines serve two;" ],
        [ 'scheduled' => "$lines start 2020-01-01 ;"
            =~ s/01 ;/01T00:00:00Z;/r ],
    );
    $same[1][1] = $lines =~ s/50;/5;/r =~ s/30;/3;/r =~ s/20;/2;/r;

    configure(even => $lines);
    for my $same (@same) {
        configure(even => $same->[1]);
        my $stats = experiment('even');
        is_deeply([ scalar @{ $stats->{epochs} }, $stats->{epoch},
            $stats->{analysis_since_epoch} ], [ 1, 1, 1 ],
            "no epoch: $same->[0]");
    }

    return;
}


sub the_result_restarts
{
    my %lines = (goal => 'goal purchase;', alpha => 'alpha 0.05;',
        planned => 'planned 1000;', window => 'window 7d;',
        cap => 'cap 100;', variants => $HALVES);
    my $all = sub { return join ' ', map { $lines{$_} } sort keys %lines };
    my $epoch = 1;
    my $since = 1;

    configure(fixed => $all->());
    visit('fixed', '/', users(7));

    for my $change ([ goal => 'goal add_to_cart;' ],
        [ goal => 'goal add_to_cart purchase;' ],
        [ alpha => 'alpha 0.01;' ], [ planned => 'planned 2000;' ],
        [ window => 'window 14d;' ], [ window => 'window off;' ],
        [ cap => 'cap 50;' ], [ cap => '' ],
        [ variants => 'variant one 50; variant control 50;' ])
    {
        my ($what, $line) = @$change;
        my $seen = length $t->error_log;

        $lines{$what} = $line;
        configure(fixed => $all->());
        my $stats = experiment('fixed');
        $epoch++;
        is_deeply([ @$stats{qw(epoch analysis_since_epoch)} ],
            [ $epoch, $epoch ], "restart: $line opens an epoch, the first"
            . ' of the result');
        is_deeply([ map { $_->{used} ? 1 : 0 } @{ $stats->{epochs} } ],
            [ (0) x $epoch ],
            "restart: $line: no earlier one is used, nor one of nobody");
        is($stats->{epochs}[0]{visitors}, 7,
            "restart: $line: nothing that was counted is lost");
        like(substr($t->error_log, $seen), qr/\[notice\].*"fixed".*restart/,
            "restart: $line: the reload says so");
    }

    $since = $epoch;
    $lines{variants} = 'variant one 60; variant control 40;';
    configure(fixed => $all->());
    my $stats = experiment('fixed');
    is_deeply([ @$stats{qw(epoch analysis_since_epoch)} ],
        [ $epoch + 1, $since ], 'restart: other weights are none');
    is_deeply([ map { $_->{used} ? 1 : 0 } @{ $stats->{epochs} } ],
        [ (0) x ($epoch + 1) ],
        'restart: epochs that nobody came in are not used');

    return;
}


# The printed share against what `uxctl assign` does to a million keys.
sub reloads_tell_who_moves
{
    my $keys = join '', map { "k$_\n" } 1 .. 1_000_000;
    my %spec = (variants => 'control=50,one=30,two=20', options => []);
    my $now = assigned($keys, \%spec);
    my @changes = (
        [ 're-weighted', variants => 'control=20,one=50,two=30' ],
        [ 'added', variants => 'control=20,one=50,two=30,three=40' ],
        [ 'dropped', variants => 'control=20,two=30,three=40' ],
        [ 'renamed', variants => 'control=20,second=30,three=40' ],
        [ 'less traffic', options => [ '--traffic', '40%' ] ],
        [ 'another salt', options => [ '--traffic', '40%', '--salt',
            'pepper' ] ],
        [ 'more traffic', options => [ '--traffic', '90%', '--salt',
            'pepper' ] ],
        [ 'a layer', options => [ '--layer', 'page:10-60%' ] ],
        [ 'its range', options => [ '--layer', 'page:30-90%' ] ],
    );
    my $lines = sub {
        my $lines = join ' ', map { /(\w+)=(\w+)/; "variant $1 $2;" }
            split /,/, $spec{variants};
        my %option = @{ $spec{options} };
        $lines .= ' traffic ' . $option{'--traffic'} . ';'
            if $option{'--traffic'};
        $lines .= " salt $option{'--salt'};" if $option{'--salt'};
        $lines .= ' layer ' . ($option{'--layer'} =~ s/:/ /r) . ';'
            if $option{'--layer'};
        return $lines;
    };

    configure(crowd => $lines->());

    my $epoch = 1;
    for my $sticky ('', ' sticky off;') {
        for my $change (splice @changes, 0, $sticky ? 9 : 7) {
            my ($what, $part, $value) = @$change;
            my $seen = length $t->error_log;

            $spec{$part} = $value;
            configure(crowd => $lines->() . $sticky);
            my $log = substr $t->error_log, $seen;
            my ($said, $printed, $whose) = $log =~ m{\[notice\].*"crowd":
                \ epoch\ (\d+)\ begins,\ ([\d.]+)%\ of\ (.*?)\ get\ }x;

            my $then = $now;
            $now = assigned($keys, \%spec);
            my $measured = 100 * differing($then, $now);

            is($said, ++$epoch, "movers, $what: the epoch");
            is($epoch, experiment('crowd')->{epoch},
                "movers, $what: which is the one that came");
            cmp_ok(abs($printed - $measured), '<', 0.2,
                "movers, $what: $printed % as measured"
                . sprintf ' (%.2f)', $measured);
            is($whose, $sticky ? 'all visitors'
                : 'visitors not yet recorded', "movers, $what: of whom");
            unlike($log, qr/\[notice\].*ux_experiment "other"/,
                "movers, $what: nothing of experiments as they were");
        }
    }

    my $seen = length $t->error_log;
    configure(crowd => $lines->() . ' sticky off;');
    unlike(substr($t->error_log, $seen), qr/\[notice\].*ux_experiment/,
        'movers, the same again: nothing is said');

    $seen = length $t->error_log;
    configure(crowd => $lines->() . ' sticky off; state paused;');
    my $log = substr $t->error_log, $seen;
    like($log, qr/\[notice\].*ux_experiment "crowd".*state/,
        'movers, paused: it is said');
    unlike($log, qr/epoch \d+ begins/, 'movers, paused: no epoch');

    $seen = length $t->error_log;
    configure(crowd => $lines->() . ' version 2;');
    $log = substr $t->error_log, $seen;
    like($log, qr/\[notice\].*"crowd" version 2: new/,
        'movers, another version: it is said');
    unlike($log, qr/"crowd" version 1: removed/,
        'movers, another version: the last one is not removed');

    $seen = length $t->error_log;
    configure();
    like(substr($t->error_log, $seen), qr/\[notice\].*"crowd".*: removed/,
        'movers, removed: it is said');

    return;
}


sub assigned
{
    my ($keys, $spec) = @_;

    my ($status, $text) = Ux::uxctl([ 'assign', '--experiment',
        "crowd:$spec->{variants}", @{ $spec->{options} } ], $keys);
    die "uxctl: $text" if $status;

    return $text;
}


# The share of lines that are not the same.
sub differing
{
    my ($one, $two) = @_;

    my ($n, $differ) = (0, 0);

    open my $in, '<', \$one or die;
    open my $other, '<', \$two or die;
    while (my $line = <$in>) {
        $n++;
        $differ++ if $line ne <$other>;
    }

    return $differ / $n;
}


sub removed_ones_stay_a_while
{
    my @users = users(20);

    configure(brief => '');
    my $told = visit('brief', '/buy', @users);
    my $before = counts('brief');
    my $epochs = experiment('brief')->{epochs};

    configure();
    my $stats = experiment('brief');
    is($stats->{state}, 'removed', 'removed: it says so');
    like($stats->{ended_at}, qr/^\d{4}-.*Z$/, 'removed: since when');
    is_deeply(counts('brief'), $before, 'removed: the numbers stay');
    is_deeply($stats->{epochs}, $epochs, 'removed: so do the epochs');
    visit('other', '/buy', @users);
    is_deeply(counts('brief'), $before, 'removed: nothing is counted');

    configure();
    is(experiment('brief')->{ended_at}, $stats->{ended_at},
        'removed: another reload changes nothing');

    my $seen = length $t->error_log;
    configure(brief => '');
    like(substr($t->error_log, $seen), qr/"brief" version 1: back again/,
        'put back: the reload says so');
    $stats = experiment('brief');
    is_deeply([ @$stats{qw(state ended_at epoch)} ], [ 'running', undef, 1 ],
        'put back: it runs, in the epoch it was');
    is_deeply(counts('brief'), $before, 'put back: with its numbers');
    my $now = visit('brief', '/', @users);
    is_deeply([ variant_of($now), reasons($now) ],
        [ variant_of($told), 'cached' ],
        'put back: everybody has the variant of before');
    is(visitors_of('brief'), 20, 'put back: nobody is counted twice');

    return;
}


sub removed_ones_go
{
    my $seconds = $clock ? 3600 : 4;
    my $zone = "removed=${seconds}s";

    $t = Ux::nginx(conf => conf(zone => $zone,
        experiments => { brief => '' }))->start;
    my $before = length $t->error_log;

    visit('brief', '/', users(5));
    ok($t->reload(conf => conf(zone => $zone)), 'removed=: reloaded');
    my %seen;
    ok(Ux::wait_until(sub {
        my $brief = $t->stats('/zones/shop')->{experiments}{brief};
        # the time is over as soon as somebody has seen it
        $clock->forward($seconds + 1) if $clock && $brief && !%seen;
        $seen{$brief->{state}}++ if $brief;
        return !$brief;
    }, 30), 'removed=: it is gone before long');
    is_deeply([ keys %seen ], [ 'removed' ],
        'removed=: and was "removed" until then');
    is($t->get('/uxstats/api/1/zones/shop/experiments/brief')->status, 404,
        'removed=: there is nothing at its place');
    like(substr($t->error_log, $before),
        qr/"brief".*: removed,.* $seconds s/,
        'removed=: the log says for how long');
    $t->no_alerts;

    return;
}
