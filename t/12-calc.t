#!/usr/bin/env perl

# Copyright (C) the nginx-ux authors
#
# `uxctl calc`: our own reference cases, published figures among them, those
# recorded beside the repository, and what is said about impossible input.

use strict;
use warnings;

use FindBin;
use JSON::PP;
use Test::More;

use lib "$FindBin::Bin/lib";

use UxTest;


# By what the case asks for; null in `expected` says that null must come.
my $json = JSON::PP->new;
my %cases;

own();
recorded();
rejected();
degenerate();
numbers();
lines();
words();

done_testing();


# --- reference cases

sub own {
    my $cases = $json->decode(slurp("$FindBin::Bin/golden/calc_cases.json"));

    for my $case (@$cases) {
        push @{$cases{$case->{kind}}},
             { %$case, tolerance => { rel => $case->{rel}, abs => 1e-12 } };
    }

    for my $kind (sort keys %cases) {
        agree($kind, $cases{$kind});
    }
}


# As tools/check_calc beside the recorded cases does.
sub recorded {
    my $file = Ux::data('stats_cases.json');

    SKIP: {
        skip "no recorded cases at $file", 1 unless -r $file;

        my %by_kind;
        my $fields = $json->decode(slurp(Ux::data('calc_kinds.json')));

        push @{$by_kind{$_->{kind}}}, $_ for @{$json->decode(slurp($file))};

        for my $kind (sort keys %$fields) {
            my @mine;

            for my $case (@{$by_kind{$kind}}) {
                my %asked = map { $_ => $case->{expected}{$_} }
                            grep { exists $case->{expected}{$_} }
                            @{$fields->{$kind}};
                push @mine, { %$case, expected => \%asked };
            }

            agree($kind, \@mine, 'recorded ');
        }
    }
}


sub agree {
    my ($kind, $cases, $whose) = @_;

    my @got = calc($kind, map { $json->encode($_->{input}) } @$cases);
    my @misses;

    for my $i (0 .. $#$cases) {
        my $case = $cases->[$i];

        for my $field (sort keys %{$case->{expected}}) {
            my ($got, $want) = ($got[$i]{$field}, $case->{expected}{$field});

            next if exists $got[$i]{$field}
                    && near($got, $want, $case->{tolerance});

            push @misses, sprintf '%s of %s is %s, not %s', $field,
                 $json->encode($case->{input}), show($got), show($want);
        }
    }

    ok(@got == @$cases && !@misses,
       ($whose || '') . "$kind: " . @$cases . ' cases')
        or diag(join "\n", @misses[0 .. ($#misses > 4 ? 4 : $#misses)]);
}


sub near {
    my ($got, $want, $tolerance) = @_;

    return !defined $got if !defined $want;
    return 0 if !defined $got;

    if (ref $want eq 'ARRAY') {
        return ref $got eq 'ARRAY' && @$got == @$want
               && !grep { !near($got->[$_], $want->[$_], $tolerance) }
                        0 .. $#$want;
    }

    return $got eq $want if $want !~ /^-?[\d.]/ || $tolerance->{rel} == 0
                            || JSON::PP::is_bool($want);

    return $got =~ /^-?[\d.]/
           && abs($got - $want) <= $tolerance->{abs}
                                   + $tolerance->{rel} * abs $want;
}


# --- impossible and empty input

sub rejected {
    my $good = '{"conversions":1,"visitors":10}';
    my $mean = '{"n":10,"sum":"10","sum_sq":"12"}';
    my $ratio = '{"n":9,"sum_num":"9","sum_num_sq":"12","sum_den":"9",'
                . '"sum_den_sq":"11","sum_num_den":"10"}';

    my @two = (
        ['"a":{"conversions":11,"visitors":10},"b":A', 'a.conversions'],
        ['"a":{"conversions":1,"visitors":0},"b":A', 'a.conversions'],
        ['"a":A,"b":{"conversions":-1,"visitors":5}', 'b.conversions'],
        ['"a":A,"b":{"conversions":0,"visitors":-5}', 'b.visitors'],
        ['"a":A,"b":{"conversions":0.5,"visitors":5}', 'b.conversions'],
        ['"a":A,"b":{"visitors":5}', 'b.conversions'],
        ['"a":A,"b":{"conversions":null,"visitors":5}', 'b.conversions'],
        ['"a":A,"b":{"conversions":[1],"visitors":5}', 'b.conversions'],
        ['"a":A,"b":{"conversions":"","visitors":5}', 'b.conversions'],
        ['"a":A,"b":{"conversions":"5 ","visitors":5}', 'b.conversions'],
        ['"a":A,"b":{"conversions":"0x5","visitors":5}', 'b.conversions'],
        ['"a":A,"b":{"conversions":0,"visitors":18446744073709551616}',
         'b.visitors'],
        ['"a":A,"b":{"conversions":0,"visitors":1e20}', 'b.visitors'],
        ['"a":A,"b":7', 'b'],
        ['"a":A', 'b'],
    );

    my @alpha = map { [qq("alpha":$_), 'alpha'] }
                qw/ 0 1 -0.05 1.5 null "x" [] 1e400 /;

    my %sets = (
        two_proportion_diff => ['"a":A,"b":A', '"alpha":0.05', [@two, @alpha]],
        relative_uplift_proportion => ['"a":A,"b":A', '"alpha":0.05',
                                       [@two, @alpha]],
        uplift_fieller_sequential => ['"a":A,"b":A,"n_star":10',
            '"alpha":0.05', [(map { ["$_->[0],\"n_star\":10", $_->[1]] } @two),
            @alpha]],
        bayes_beta_binomial => ['"a":A,"b":A',
            '"prior_alpha":1,"prior_beta":1', [@two,
            ['"prior_alpha":0,"prior_beta":1', 'prior_alpha'],
            ['"prior_alpha":1,"prior_beta":-1', 'prior_beta']]],
        wilson_ci => ['"conversions":1,"visitors":10', '"confidence":0.95', [
            @alpha, ['"confidence":1', 'confidence'],
            ['"confidence":0.0', 'confidence'],
            ['"conversions":11,"visitors":10', 'conversions'],
            ['"conversions":1', 'visitors']]],
        welch_t => ['"a":M,"b":M', '"alpha":0.05', [@alpha,
            ['"a":{"n":10,"sum":"10","sum_sq":"9.9"},"b":M', 'a.sum_sq'],
            ['"a":{"n":3,"sum":"30000000000001",'
             . '"sum_sq":"300000000000020000000000000"},"b":M', 'a.sum_sq'],
            ['"a":M,"b":{"n":10,"sum":"10","sum_sq":"-1"}', 'b.sum_sq'],
            ['"a":M,"b":{"n":0,"sum":"10","sum_sq":"10"}', 'b.sum_sq'],
            ['"a":M,"b":{"n":-2,"sum":"10","sum_sq":"10"}', 'b.n'],
            ['"a":M,"b":{"n":2,"sum":"ten","sum_sq":"10"}', 'b.sum'],
            ['"a":M,"b":{"n":2,"sum_sq":"10"}', 'b.sum'],
            ['"a":{"n":100000,"sum":"100000000000000.0",'
             . '"sum_sq":"99999999999999999999999.9"},"b":M', 'a.sum_sq']]],
        uplift_fieller_sequential_mean => ['"a":M,"b":M,"n_star":10',
            '"alpha":0.05', [@alpha,
            ['"a":{"n":10,"sum":"10","sum_sq":"9.9"},"b":M,"n_star":1',
             'a.sum_sq'],
            ['"a":M,"b":M,"n_star":0', 'n_star']]],
        ratio_metric_delta => ['"a":R,"b":R', '"alpha":0.05', [@alpha,
            ['"a":R,"b":{"n":9,"sum_num":"9"}', 'b.sum_num_sq']]],
        asymptotic_cs => ['"estimate":1,"se":1,"n_total":10,"n_star":10',
            '"alpha":0.05', [@alpha,
            ['"estimate":1,"se":-1,"n_total":10,"n_star":10', 'se'],
            ['"estimate":1,"se":1,"n_total":-1,"n_star":10', 'n_total'],
            ['"estimate":1,"se":1,"n_total":1,"n_star":-3', 'n_star'],
            ['"estimate":"","se":1,"n_total":1,"n_star":3', 'estimate']]],
        stratified_sequential => ['"epochs":[{"a":A,"b":A}],"n_star":9',
            '"alpha":0.05', [@alpha,
            ['"epochs":[],"n_star":9', 'epochs'],
            ['"epochs":3,"n_star":9', 'epochs'],
            ['"epochs":[{"a":A}],"n_star":9', 'b'],
            ['"epochs":[{"a":A,"b":{"conversions":4,"visitors":2}}],'
             . '"n_star":9', 'b.conversions']]],
        funnel_counts => ['"steps":[5,4]', '"x":0', [
            ['"steps":[5,6]', 'steps'], ['"steps":[]', 'steps'],
            ['"steps":[5,-1]', 'steps'], ['"steps":{"a":1}', 'steps']]],
        conversion_split_sequential => ['"conversions_a":1,"conversions_b":2,'
            . '"share_a":0.5,"share_b":0.5,"concentration":100',
            '"alpha":0.05', [@alpha,
            ['"conversions_a":-1,"conversions_b":2,"share_a":0.5,'
             . '"share_b":0.5,"concentration":100', 'conversions_a'],
            ['"conversions_a":1,"conversions_b":2,"share_a":0,"share_b":1,'
             . '"concentration":100', 'share_a'],
            ['"conversions_a":1,"conversions_b":2,"share_a":0.5,'
             . '"share_b":0.5,"concentration":0', 'concentration']]],
        conversion_split_path => ['"labels":[0,1],"share_b":0.5',
            '"concentration":9', [
            ['"labels":[0,2],"share_b":0.5', 'labels'],
            ['"labels":[0,1],"share_b":1', 'share_b'],
            ['"labels":[],"share_b":0.5', 'labels']]],
        conversion_split_path_varying => ['"labels":[0,1],"share_b":[0.5,0.5]',
            '"concentration":9', [
            ['"labels":[0,1],"share_b":[0.5]', 'share_b'],
            ['"labels":[0,1],"share_b":[0.5,0]', 'share_b']]],
        srm_chi2 => ['"visitors":[1,2]', '"weights":[1,1]', [
            ['"weights":[0,0]', 'weights'], ['"weights":[1,-1]', 'weights'],
            ['"weights":[1]', 'weights'], ['"weights":[1,null]', 'weights'],
            ['"visitors":[1,-2]', 'visitors'],
            ['"visitors":[18446744073709551615,1]', 'counts']]],
        srm_sequential => ['"visitors":[1,2],"concentration":9',
            '"probs":[0.5,0.5]', [
            ['"probs":[0,0]', 'probs'], ['"probs":[1,-1]', 'probs'],
            ['"visitors":[1,2],"concentration":-9', 'concentration']]],
        srm_sequential_path => ['"batches":[[1,2]],"dirichlet":[1,1]',
            '"probs":[0.5,0.5]', [
            ['"batches":[[1]],"dirichlet":[1,1]', 'batches'],
            ['"batches":[[1,2,3]],"dirichlet":[1,1]', 'batches'],
            ['"batches":[3],"dirichlet":[1,1]', 'batches'],
            ['"batches":[[1,2]],"dirichlet":[1,0]', 'dirichlet']]],
        prob_best_multi => ['"arms":[A,A],"floor":0.01',
            '"prior_alpha":1,"prior_beta":1', [
            ['"arms":[A,{"conversions":1,"visitors":0}]', 'arms.conversions'],
            ['"arms":[' . join(',', ('A') x 17) . ']', 'arms'],
            ['"arms":[A,A],"floor":0.6', 'floor'],
            ['"arms":[A,A],"floor":-0.1', 'floor']]],
        multiple_testing => ['"p":[0.1]', '"x":0', [
            ['"p":[1.1]', 'p'], ['"p":[-0.1]', 'p'], ['"p":[]', 'p'],
            ['"p":0.1', 'p'], ['"p":[NaN]', 'object']]],
        e_bh => ['"e":[1]', '"alpha":0.05', [@alpha, ['"e":[-1]', 'e']]],
        sample_size_two_proportions => ['"p1":0.1,"p2":0.2',
            '"alpha":0.05,"power":0.8', [
            ['"p1":0,"p2":0.2', 'p1'], ['"p1":0.1,"p2":1', 'p2'],
            ['"p1":0.1,"p2":0.1', 'p2'],
            ['"alpha":0.05,"power":1', 'power']]],
        sample_size_mean => ['"delta":1,"variance":2',
            '"alpha":0.05,"power":0.8', [
            ['"delta":0,"variance":2', 'delta'],
            ['"delta":1,"variance":-2', 'variance']]],
        mde_proportion => ['"baseline":0.1,"n_per_arm":100',
            '"alpha":0.05,"power":0.8', [
            ['"baseline":1,"n_per_arm":100', 'baseline'],
            ['"baseline":0.1,"n_per_arm":0', 'n_per_arm']]],
        power_two_proportions => ['"p1":0.1,"p2":0.2,"n_per_arm":100',
            '"alpha":0.05', [@alpha,
            ['"p1":0.1,"p2":2,"n_per_arm":100', 'p2']]],
        quantile_ci_ranks => ['"n":100,"quantile":0.5', '"alpha":0.05', [
            @alpha, ['"n":100,"quantile":1', 'quantile'],
            ['"n":-1,"quantile":0.5', 'n']]],
        log_linear_histogram => ['"sub_bucket_bits":5', '"max_value":100', [
            ['"sub_bucket_bits":17', 'sub_bucket_bits'],
            ['"max_value":-1', 'max_value']]],
        kaplan_meier => ['"rows":[{"t":1,"events":1,"censored":1}]',
            '"alpha":0.05', [@alpha,
            ['"rows":[]', 'rows'],
            ['"rows":[{"t":2,"events":1,"censored":1},'
             . '{"t":1,"events":1,"censored":1}]', 'rows'],
            ['"rows":[{"t":1,"events":-1,"censored":1}]', 'rows.events'],
            ['"rows":[{"t":1,"events":1}]', 'rows.censored']]],
        capped_revenue => ['"changes":[{"visitor":"x","delta":1}]',
            '"cap":100', [
            ['"cap":-1', 'cap'], ['"cap":1.5', 'cap'],
            ['"changes":1', 'changes'],
            ['"changes":[{"visitor":"x"}]', 'delta'],
            ['"changes":[{"visitor":null,"delta":1}]', 'visitor'],
            ['"changes":[{"visitor":"x","delta":9223372036854775807},'
             . '{"visitor":"x","delta":1}]', 'delta']]],
        reject_input => ['"conversions":1,"visitors":10', '"alpha":0.5', [
            @alpha, ['"conversions":11,"visitors":10', 'conversions'],
            ['"steps":[1,2]', 'steps'], ['"p":[2]', 'p'],
            ['"visitors":[1],"weights":[0]', 'weights'],
            ['"a":{"n":10,"sum":100,"sum_sq":999.9},"b":M', 'a.sum_sq'],
            ['"a":A,"b":{"conversions":1,"visitors":0}', 'b.conversions']]],
    );

    for my $kind (sort keys %sets) {
        my ($base, $rest, $bad) = @{$sets{$kind}};

        # What is wrong stands first, and so is what is read of a name.
        my @lines = map { "{$_}" } "$base,$rest",
                    map { "$_->[0],$base,$rest" } @$bad;

        for my $line (@lines) {
            $line =~ s/(?<=[:\[,])A(?=[,\]\}])/$good/g;
            $line =~ s/(?<=[:\[,])M(?=[,\]\}])/$mean/g;
            $line =~ s/(?<=[:\[,])R(?=[,\]\}])/$ratio/g;
        }

        # But for a member that must be missing there is no second chance.
        for my $i (1 .. $#lines) {
            my $field = $bad->[$i - 1][1];
            next unless $field eq 'b' || $field eq 'visitors';
            ($lines[$i] = "{$bad->[$i - 1][0]," . $rest . '}')
                =~ s/(?<=[:\[,])A(?=[,\]\}])/$good/g;
        }

        my @got = calc($kind, @lines);
        my @misses = grep {
            my $name = $_ > 0 ? $bad->[$_ - 1][1] : '';
            my $error = $got[$_]{error} // '';
            $_ == 0 ? ($got[0]{status} // '') ne 'ok'
                    : $got[$_]{status} ne 'reject' || $error !~ /expected/
                      || $error !~ /\b\Q$name\E\b/;
        } 0 .. $#lines;

        ok(@got == @lines && !@misses, "$kind: " . @$bad . ' rejections')
            or diag(map { "$lines[$_]\n  " . show($got[$_]) . "\n" } @misses);
    }
}


sub degenerate {
    my $rate = sub {
        my ($xa, $na, $xb, $nb, $rest) = @_;
        return qq({"a":{"conversions":$xa,"visitors":$na},)
               . qq("b":{"conversions":$xb,"visitors":$nb},"alpha":0.05$rest});
    };
    my $means = sub {
        my ($a, $b, $rest) = @_;
        my ($x, $y) = map { sprintf '{"n":%s,"sum":"%s","sum_sq":"%s"}', @$_ }
                      $a, $b;
        return qq({"a":$x,"b":$y,"alpha":0.05$rest});
    };
    my $star = ',"n_star":10000';

    my @cases = (
        ['wilson_ci', '{"conversions":0,"visitors":0,"confidence":0.95}',
         'insufficient_data', { rate => undef, lo => 0, hi => 1 }],
        ['wilson_ci', '{"conversions":0,"visitors":9,"confidence":0.95}',
         'ok', { rate => 0, lo => 0 }],
        ['wilson_ci', '{"conversions":9,"visitors":9,"confidence":0.95}',
         'ok', { rate => 1, hi => 1 }],
        ['two_proportion_diff', $rate->(0, 0, 0, 0, ''),
         'insufficient_data', { diff => undef, p_pooled => undef }],
        ['two_proportion_diff', $rate->(0, 9, 0, 9, ''),
         'insufficient_data', { diff => 0, p_pooled => 1 }],
        ['two_proportion_diff', $rate->(9, 9, 9, 9, ''),
         'insufficient_data', { diff => 0, p_pooled => 1 }],
        ['relative_uplift_proportion', $rate->(0, 100, 7, 100, ''),
         'baseline_zero', { uplift => undef, fieller_lo => undef }],
        ['relative_uplift_proportion', $rate->(7, 100, 0, 100, ''),
         'ok', { uplift => -1 }],
        ['relative_uplift_proportion', $rate->(0, 0, 7, 100, ''),
         'insufficient_data', { uplift => undef }],
        ['relative_uplift_proportion', $rate->(0, 9, 0, 9, ''),
         'insufficient_data', { uplift => undef }],
        ['relative_uplift_proportion', $rate->(9, 9, 9, 9, ''),
         'zero_variance', { uplift => 0 }],
        ['relative_uplift_proportion', $rate->(1, 100, 9, 100, ''),
         'ok', { fieller_lo => undef, fieller_hi => undef }],
        ['uplift_fieller_sequential', $rate->(0, 0, 0, 0, $star),
         'insufficient_data', { diff => undef, p => undef }],
        ['uplift_fieller_sequential', $rate->(0, 50, 5, 50, $star),
         'baseline_zero', { diff => 0.1, uplift => undef }],
        ['welch_t', $means->([1, 5, 25], [1, 7, 49], ''),
         'insufficient_data', { p_two_sided => undef, lo => undef }],
        ['welch_t', $means->([0, 0, 0], [9, 7, 49], ''),
         'insufficient_data', { mean_a => undef }],
        ['welch_t', $means->([4, 20, 100], [2, 14, 98], ''),
         'zero_variance', { p_two_sided => undef, diff => 2 }],
        ['uplift_fieller_sequential_mean',
         $means->([1, 5, 25], [9, 7, 49], $star), 'insufficient_data', {}],
        ['uplift_fieller_sequential_mean',
         $means->([9, 0, 0], [9, 7, 49], $star), 'baseline_zero',
         { uplift => undef }],
        ['asymptotic_cs', '{"estimate":1,"se":0,"n_total":9,"n_star":9,'
         . '"alpha":0.05}', 'zero_variance', { p => undef, lo => undef }],
        ['asymptotic_cs', '{"estimate":0,"se":1,"n_total":0,"n_star":9,'
         . '"alpha":0.05}', 'insufficient_data', { p => undef }],
        ['stratified_sequential', '{"epochs":[{"a":{"conversions":0,'
         . '"visitors":1},"b":{"conversions":0,"visitors":9}}],"n_star":9,'
         . '"alpha":0.05}', 'insufficient_data',
         { diff => undef, epochs_used => [] }],
        ['srm_chi2', '{"visitors":[0,0],"weights":[1,1]}', 'ok',
         { chi2 => 0, p => 1 }],
        ['srm_chi2', '{"visitors":[9],"weights":[1]}', 'ok',
         { chi2 => 0, df => 0, p => 1 }],
        ['srm_chi2', '{"visitors":[9,1],"weights":[1,0]}', 'impossible',
         { chi2 => undef, p => 0 }],
        ['srm_sequential', '{"visitors":[0,0],"probs":[1,1],'
         . '"concentration":9}', 'ok', { log_bf => 0, p => 1 }],
        ['conversion_split_sequential', '{"conversions_a":0,'
         . '"conversions_b":0,"share_a":1,"share_b":1,"concentration":9,'
         . '"alpha":0.05}', 'insufficient_data',
         { p => 1, uplift_lo => -1, uplift_hi => undef,
           uplift_estimate => undef }],
        ['bayes_beta_binomial', '{"a":{"conversions":0,"visitors":0},'
         . '"b":{"conversions":0,"visitors":0},"prior_alpha":1,'
         . '"prior_beta":1}', 'ok', { prob_b_gt_a => 0.5 }],
        ['quantile_ci_ranks', '{"n":0,"quantile":0.5,"alpha":0.05}',
         'insufficient_data', { rank_lo => undef }],
        ['funnel_counts', '{"steps":[0,0]}', 'insufficient_data', {}],
        ['e_bh', '{"e":[0,0],"alpha":0.05}', 'ok', { n_reject => 0 }],
        ['e_bh', '{"e":[1,20,1],"alpha":0.15}', 'ok', { n_reject => 1 }],
        ['multiple_testing', '{"p":[0.05]}', 'ok', { n_reject_holm_05 => 1 }],
        ['capped_revenue', '{"cap":null,"changes":[]}', 'ok',
         { n => 0, sum => 0, sum_of_squares => 0 }],
        ['kaplan_meier', '{"rows":[{"t":1,"events":0,"censored":5}],'
         . '"alpha":0.05}', 'ok',
         { survival => [1], lo => [undef], median => undef }],
    );

    for my $case (@cases) {
        my ($kind, $line, $status, $expected) = @$case;
        my ($got) = calc($kind, $line);
        my @misses = grep {
            !exists $got->{$_}
            || !near($got->{$_}, $expected->{$_}, { rel => 0, abs => 1e-12 })
            && !near($got->{$_}, $expected->{$_}, { rel => 1e-9, abs => 0 })
        } sort keys %$expected;

        ok($got->{status} eq $status && !@misses,
           "$kind: $status, " . substr $line, 0, 50)
            or diag(show($got));
    }
}


# --- numbers

sub numbers {
    my $text = '18446744073709551615';

    my @same = calc('wilson_ci', map {
        qq({"conversions":$_->[0],"visitors":$_->[1],"confidence":0.95})
    } ['3', '100'], ['"3"', '"100"'], ['3.0', '1e2'], ['"3.00"', '"1.00E+2"'],
      ['0.3e1', '1000e-1']);

    is_deeply([map { $_->{lo} } @same], [($same[0]{lo}) x 5],
              'one number, written in five ways');

    my ($most) = calc('srm_chi2',
                      qq({"visitors":["$text"],"weights":[1]}));
    is($most->{p}, 1, 'all 64 bits');

    # In doubles 9007199254740993 is the one below.
    my ($odd, $even) = calc('srm_chi2', map {
        qq({"visitors":[9007199254740992,$_],"weights":[1,0]})
    } '9007199254740993', '0');
    is($odd->{status} . $even->{status}, 'impossibleok', 'large counts');

    my ($a, $b) = calc('capped_revenue',
        '{"cap":null,"changes":[{"visitor":"x","delta":9007199254740993}]}',
        '{"cap":null,"changes":[{"visitor":1,"delta":"5"},'
        . '{"visitor":"1","delta":7}]}');
    is("$a->{sum} $a->{sum_of_squares}",
       '9007199254740993 81129638414606699710187514626049',
       'revenue is exact beyond 2^53');
    is($b->{n}, 1, 'a visitor is what is written');

    # 38 digits are too many for both of these together.
    my ($apart) = calc('welch_t',
        '{"a":{"n":4,"sum":"0.1234567890123456786","sum_sq":"25.5"},'
        . '"b":{"n":4,"sum":"4000000000000000000",'
        . '"sum_sq":"4000000000000000000000000000000000002"},"alpha":0.05}');
    ok($apart->{status} eq 'ok'
       && near($apart->{mean_a}, 0.03086419725308642,
               { rel => 1e-12, abs => 0 })
       && near($apart->{var_a}, 8.49872986843723,
               { rel => 1e-12, abs => 0 })
       && near($apart->{var_b}, 2 / 3, { rel => 1e-12, abs => 0 })
       && near($apart->{diff}, 1e18, { rel => 1e-12, abs => 0 }),
       'small and large together') or diag(show($apart));

    my ($shifted, $plain) = calc('welch_t', map {
        my ($s, $q, $t, $r) = @$_;
        qq({"a":{"n":4,"sum":"$s","sum_sq":"$q"},)
        . qq("b":{"n":3,"sum":"$t","sum_sq":"$r"},"alpha":0.05})
    } ['4000000000010', '4000000000020000000000030',
       '3000000000006', '3000000000012000000000014'],
      ['10', '30', '6', '14']);
    delete @$_{qw/ mean_a mean_b /} for $shifted, $plain;
    is_deeply($shifted, $plain, 'nothing is lost far from 0');
}


# --- lines

sub lines {
    my $good = '{"conversions":1,"visitors":10,"confidence":0.95}';
    my @bad = ('', ' ', 'nonsense', '[]', '7', '"x"', 'null', "$good$good",
               "$good x", '{"conversions":01,"visitors":10}',
               '{"conversions":+1,"visitors":10}', '{"conversions":1.}',
               '{"conversions":.5}', '{"conversions":Infinity}',
               '{"conversions":-}', "{\"a\x01\":1}", "{\"a\":1}\x00",
               '{"conversions":1', '{' x 5000, '[' x 100000,
               '{"conversions":' . '1' x 100 . '}', "\xff\xfe",
               "{\"conversions\":\"\xff\",\"visitors\":3}");

    my ($status, $text) = Ux::uxctl(['calc', 'wilson_ci'],
                                    join '', map { "$_\n" }
                                             map { ($_, $good) } @bad);
    my @got = split /\n/, $text;

    is($status, 0, 'every line gets an answer');
    is(scalar @got, 2 * @bad, 'one a line');

    my %answers = map { $got[2 * $_ + 1] => 1 } 0 .. $#bad;
    is(scalar keys %answers, 1, 'a bad line does not change the next');

    my @misses = grep {
        my $answer = eval { $json->decode($got[2 * $_]) } || {};
        ($answer->{status} // '') ne 'reject'
        || ($answer->{error} // '') !~ /expected/
    } 0 .. $#bad;
    is("@misses", '', 'bad lines are rejected, with a reason');

    is((Ux::uxctl(['calc', 'wilson_ci'], $good))[1], "$got[1]\n",
       'a last line without its newline');
    is((Ux::uxctl(['calc', 'wilson_ci'], ''))[1], '', 'no lines at all');
}


# --- words

sub words {
    for my $case (
        [[], qr/no kind: expected/],
        [['frobnicate'], qr/unknown kind "frobnicate": expected/],
        [['wilson_ci', 'x'], qr/"x" is one word too many: expected/],
        [['--frob'], qr/unknown option "--frob": expected/],
    ) {
        my ($words, $error) = @$case;
        my ($status, $text) = Ux::uxctl(['calc', @$words], '');

        ok($status == 2 && $text =~ $error, "uxctl calc @$words")
            or diag("$status: $text");
    }

    my ($status, $text) = Ux::uxctl(['calc', '--help'], '');
    my @missing = grep { $text !~ /^  \Q$_\E$/m }
                  keys %cases, 'reject_input', 'funnel_counts';

    is("$status @missing", '0 ', '--help lists the kinds');
}


# --- running it

sub calc {
    my ($kind, @lines) = @_;

    my (undef, $text) = Ux::uxctl(['calc', $kind],
                                  join '', map { "$_\n" } @lines);

    # Whole numbers beyond 2^53 stay text.
    $text =~ s/:(\d{16,})(?=[,\}])/:"$1"/g;

    return map { eval { $json->decode($_) } || {} } split /\n/, $text;
}


sub show {
    return defined $_[0] ? JSON::PP->new->canonical->allow_nonref
                                   ->encode($_[0])
                         : 'null';
}


sub slurp {
    open my $in, '<', $_[0] or die "$_[0]: $!\n";
    local $/;
    return <$in>;
}
