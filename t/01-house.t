#!/usr/bin/env perl

# Copyright (C) the nginx-ux authors
#
# The tree keeps the rules of the house, and each rule is one: a copy of the
# tree with a single violation fails for that very reason.

use strict;
use warnings;

use File::Temp qw/ tempdir /;
use FindBin;
use Test::More;


my $root = "$FindBin::Bin/..";
my $copy = tempdir(CLEANUP => 1);

# Name, file, text appended to it (a new file starts with it), the complaint.
my @cases = (
    ['nginx in a comment', 'src/ux_base.c', "/* like ngx_str_t */\n",
     'ux_base\.c:\d+: "ngx_str_t" in src/'],
    ['nginx in capitals', 'src/ux_base.h', "#define X  NGX_OK\n",
     'ux_base\.h:\d+: "NGX_OK" in src/'],
    ['nginx in a program', 'src/cli/uxctl.c', "#include <ngx_core.h>\n",
     'uxctl\.c:\d+: "ngx_core" in src/'],

    ['base includes experiment', 'src/ux_hash.c',
     "#include \"ux_experiment.h\"\n", '"ux_experiment\.h" is of a higher'],
    ['experiment includes store', 'src/ux_experiment.h',
     "#include \"ux_store.h\"\n", '"ux_store\.h" is of a higher'],
    ['track includes report', 'src/ux_track.h',
     "#include \"ux_report.h\"\n", '"ux_report\.h" is of a higher'],
    ['a part of the table includes a part of the report',
     'src/ux_table_extra.c', "#include \"ux_report_private.h\"\n",
     'ux_table_extra\.c:1: "ux_report_private\.h" is of a higher'],
    ['a file of no layer', 'src/ux_helper.c', "#include \"ux_base.h\"\n",
     'ux_helper\.c:1: a file without a layer'],
    ['a header of no layer', 'src/ux_base.c', "#include \"ux_helper.h\"\n",
     '"ux_helper\.h" has no layer'],

    ['xxHash elsewhere', 'src/ux_base.c', "#include <xxhash.h>\n",
     'ux_base\.c:\d+: <xxhash\.h> is not for'],
    ['cJSON elsewhere', 'src/ux_report.c', "#include <cjson/cJSON.h>\n",
     '<cjson/cJSON\.h> is not for'],
    ['cJSON without its folder', 'src/ux_report.c', "#include <cJSON.h>\n",
     '<cJSON\.h> is not for'],
    ['OpenSSL elsewhere', 'src/ux_cookie.c', "#include <openssl/rand.h>\n",
     '<openssl/rand\.h> is not for'],
    ['APR in the core', 'src/ux_process.c', "#include <apr_time.h>\n",
     '<apr_time\.h> is not for'],
    ['NIfTI elsewhere', 'src/ux_number.c',
     "#include <nifti/nifti2_io.h>\n", '<nifti/nifti2_io\.h> is not for'],
    ['an unknown third party', 'src/ux_base.c', "#include <lzma.h>\n",
     '<lzma\.h> is neither'],

    ['one name twice', 'ngx_module/ux_hash.c', "/* */\n",
     '"ux_hash\.c" is a name of'],
    ['one name twice in src/', 'src/cli/ux_mac.h', "/* */\n",
     '"ux_mac\.h" is a name of'],

    ['glue includes a third party', 'ngx_module/ngx_http_ux_extra.c',
     "#include <lzma.h>\n", '"lzma\.h" is neither nginx\'s'],
    ['glue includes ours', 'ngx_module/ngx_http_ux_extra.c',
     "#include <xxhash.h>\n", 'extra\.c:1: <xxhash\.h> is not for'],
    ['glue includes APR', 'ngx_module/ngx_http_ux_extra.c',
     "#include <apr_file_io.h>\n", '<apr_file_io\.h> is not for'],
    ['glue includes a stranger of its own', 'ngx_module/ngx_http_ux_extra.c',
     "#include \"strange.h\"\n", '"strange\.h" is neither nginx\'s'],

    ['a tab', 'src/ux_base.c', "\tint x;\n", 'ux_base\.c:\d+: a tab'],
    ['a tab in a test', 't/unit/test_extra.c', "\tint x;\n",
     'test_extra\.c:1: a tab'],
    ['trailing blanks', 'ngx_module/ngx_http_ux_extra.c', "int x; \n",
     'extra\.c:1: trailing blanks'],
    ['trailing blanks in a test', 't/99-extra.t', "use strict; \n",
     '99-extra\.t:1: trailing blanks'],
    ['a carriage return', 'src/ux_base.c', "int x;\r\n",
     'ux_base\.c:\d+: a carriage return'],
    ['80 columns', 'src/ux_base.h', '/* ' . 'x' x 74 . " */\n",
     'ux_base\.h:\d+: 80 columns'],
    ['80 columns in a unit test', 't/unit/test_extra.c',
     '/* ' . 'x' x 74 . " */\n", 'test_extra\.c:1: 80 columns'],
    ['80 columns in a test', 't/99-extra.t',
     '# ' . 'x' x 78 . "\n", '99-extra\.t:1: 80 columns'],
    ['no last newline', 'src/ux_base.c', '/* */',
     'ux_base\.c:\d+: no newline'],
);

# What looks like a violation and is none.
my @fine = (
    ['79 columns', 'src/ux_base.h', '/* ' . 'x' x 73 . " */\n"],
    ['APR in several files of a program', 'src/cli/uxctl_extra.c',
     "#include <apr_time.h>\n#include <apr_pools.h>\n"],
    ['two headers of one third party in its file', 'src/ux_mac.c',
     "#include <openssl/sha.h>\n"],
    ['a lower layer', 'src/ux_report.c', "#include \"ux_hash.h\"\n"],
    ['nginx in the glue', 'ngx_module/ngx_http_ux_extra.c',
     "#include <ngx_core.h>\n#include <nginx.h>\n#include \"ux_hash.h\"\n"],
);


my $own = house($root);
is($own, '', 'the tree keeps the rules');

copy_tree();

my $before = house($copy);
is($before, $own, 'so does its copy');

for my $case (@cases) {
    my ($name, $file, $text, $complaint) = @$case;
    my @new = violations($file, $text);

    # One violation: the complaint of its own rule and no other.

    ok(@new == 1 && $new[0] =~ /$complaint/, "refused: $name")
        or diag(join "\n", @new);
}

for my $case (@fine) {
    my ($name, $file, $text) = @$case;
    my @new = violations($file, $text);

    is_deeply(\@new, [], "allowed: $name");
}


is(house($copy), $before, 'the copy is as it was');

done_testing();


sub copy_tree {
    for my $folder (qw/ src ngx_module t /) {
        system('cp', '-R', "$root/$folder", "$copy/$folder") == 0
            or die "cp: $?";
    }
}


# Complaints that are new with `text` at the end of the file.
sub violations {
    my ($file, $text) = @_;

    my %known = map { $_ => 1 } split /\n/, house($copy);
    my $size = -s "$copy/$file";

    append($file, $text);
    my @new = grep { !$known{$_} } split /\n/, house($copy);

    if (defined $size) {
        truncate "$copy/$file", $size or die "$file: $!";

    } else {
        unlink "$copy/$file" or die "$file: $!";
    }

    return @new;
}


sub append {
    my ($file, $text) = @_;

    open my $out, '>>', "$copy/$file" or die "$copy/$file: $!";
    print $out $text;
    close $out or die "$copy/$file: $!";
}


# What t/house says, '' if it is content; its exit status must agree.
sub house {
    my ($tree) = @_;

    open my $pipe, '-|', $^X, "$root/t/house", $tree or die "t/house: $!";
    local $/;
    my $said = <$pipe> // '';
    close $pipe;

    my $status = $? >> 8;

    if ($status != ($said eq '' ? 0 : 1)) {
        die "t/house exits with $status having said: $said";
    }

    return $said;
}
