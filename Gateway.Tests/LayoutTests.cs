using System.Reflection;
using System.Runtime.CompilerServices;
using ArchUnitNET.Domain;
using ArchUnitNET.Loader;
using Gateway.Edge;

namespace Gateway.Tests;

/// <summary>What the code base promises about itself, read off the compiled assembly: pages and root types included.</summary>
public sealed class LayoutTests
{
    /// <summary>What puts everything together: the types without a folder.</summary>
    private const string Root = "App";

    /// <summary>As .editorconfig has it.</summary>
    private const int LongestLine = 140;

    private const int LongestMethod = 50;

    private const int MostDependencies = 6;

    /// <summary>A folder uses what stands to its right.</summary>
    private static readonly string[] _order =
    [
        "Cli", Root, "Loading", "Store", "Web", "Forwarding", "Authorization", "Users", "Audit", "Identity", "Headscale", "Edge", "Policy",
        "Documents", "Settings",
    ];

    /// <summary>Libraries that one folder alone may use.</summary>
    private static readonly (string Library, string Folder)[] _libraries =
    [
        ("Dapper", "Store"), ("Microsoft.Data.Sqlite", "Store"), ("Npgsql", "Store"), ("LiteDB", "Store"), ("YamlDotNet", "Settings"),
        ("System.CommandLine", "Cli"), ("DiffPlex", "Web"), ("Yarp", "Forwarding"),
    ];

    private static readonly Architecture _architecture = new ArchLoader().LoadAssembly(typeof(App).Assembly).Build();

    public static TheoryData<string> Folders => [.. _order];

    [Theory]
    [MemberData(nameof(Folders))]
    public void AFolderUsesOnlyFoldersToItsRight(string folder) => Dependencies()
        .Where(one => one.Folder == folder && FolderOf(one.Target) is { } target
            && Array.IndexOf(_order, target) < Array.IndexOf(_order, folder))
        .Select(one => $"{one.Type.Name} uses {one.Target.FullName}").Distinct().Should().BeEmpty();

    [Fact]
    public void EveryFolderHasItsPlaceInTheOrder() =>
        Directory.EnumerateDirectories(Path.Combine(Folder(), "Gateway")).Select(Path.GetFileName).Except([.. _order, "bin", "obj"])
            .Should().BeEmpty();

    [Fact]
    public void TheRuleSeesWhatItIsAbout()
    {
        _architecture.Types.Count(type => FolderOf(type) is not null).Should().BeGreaterThan(400);
        Dependencies().Should().Contain(one => one.Folder == "Web" && FolderOf(one.Target) == "Forwarding");
        _architecture.Types.Should().Contain(type => type.FullName == "Gateway.Web.Machines.MachinePage");
    }

    [Fact]
    public void ThePolicyKnowsNoHttp() => Dependencies()
        .Where(one => one.Folder == "Policy" && (one.Target.FullName.StartsWith("Microsoft.AspNetCore", StringComparison.Ordinal)
            || one.Target.FullName.StartsWith("System.Net.Http", StringComparison.Ordinal)))
        .Select(one => $"{one.Type.Name} uses {one.Target.FullName}").Should().BeEmpty();

    [Fact]
    public void ThePolicyKnowsNoYaml() => Dependencies()
        .Where(one => one.Folder == "Policy" && one.Target.Name.StartsWith("Yaml", StringComparison.Ordinal))
        .Select(one => $"{one.Type.Name} uses {one.Target.FullName}").Should().BeEmpty();

    [Fact]
    public void ALibraryStaysInItsFolder() => Dependencies()
        .SelectMany(one => _libraries
            .Where(library => one.Target.FullName.StartsWith(library.Library + ".", StringComparison.Ordinal)
                && one.Folder != library.Folder)
            .Select(library => $"{one.Type.FullName} uses {library.Library}"))
        .Distinct().Should().BeEmpty();

    [Fact]
    public void OnlyTheHeadscaleFolderKnowsHeadscalesAddresses()
    {
        var wrong = Sources()
            .Where(file => file.Contains("/Gateway/", StringComparison.Ordinal)
                && !file.Contains("/Gateway/Headscale/", StringComparison.Ordinal))
            .Where(file => File.ReadLines(file).Any(line =>
                !line.TrimStart().StartsWith("//", StringComparison.Ordinal) && line.Contains("\"/api/v1/", StringComparison.Ordinal)));
        wrong.Select(Path.GetFileName).Should().BeEmpty();
    }

    [Fact]
    public void NoFileOutgrewItsReader() =>
        Sources().Select(file => (Path.GetFileName(file), Lines: File.ReadLines(file).Count())).Where(one => one.Lines > 300)
            .Should().BeEmpty();

    [Fact]
    public void LinesAreNoLongerThanTheEditorsRuler()
    {
        var wrong = Sources()
            .SelectMany(file => File.ReadLines(file).Select((line, at) => (File: Path.GetFileName(file), Line: at + 1, line.Length)))
            .Where(one => one.Length > LongestLine).Select(one => $"{one.File}:{one.Line} has {one.Length}");
        wrong.Should().BeEmpty();
    }

    [Fact]
    public void NoMethodOutgrewItsReader()
    {
        var wrong = Sources().Where(file => file.Contains("/Gateway/", StringComparison.Ordinal))
            .SelectMany(file => Methods(File.ReadAllLines(file)).Select(one => $"{Path.GetFileName(file)}: {one.Name} has {one.Lines}"));
        wrong.Should().BeEmpty();

        // From the first line of the signature to the closing brace; what only lists expressions is no method to follow.
        static IEnumerable<(string Name, int Lines)> Methods(string[] lines)
        {
            for (var (at, first) = (0, -1); at < lines.Length; at++)
            {
                var isMember = lines[at] is [' ', ' ', ' ', ' ', not (' ' or '[' or '/' or '{' or '}'), ..];
                first = isMember ? at : first;
                if (lines[at] == "    }" && first >= 0 && at - first + 1 > LongestMethod
                    && !lines[first].Contains(" class ", StringComparison.Ordinal))
                {
                    yield return (lines[first].Trim(), at - first + 1);
                }
            }
        }
    }

    /// <summary>What the framework's own base classes want handed on does not count.</summary>
    [Fact]
    public void NothingDependsOnMoreThanAReaderKeepsInMind()
    {
        string[] ofTheFramework = ["IOptionsMonitor`1", "ILoggerFactory", "UrlEncoder", "HtmlEncoder"];
        var wrong = typeof(App).Assembly.GetTypes()
            .Where(type => type is { IsClass: true, IsAbstract: false } && IsOurs(type) && !IsRecord(type))
            .SelectMany(type => type.GetConstructors(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic))
            .Select(made => (made.DeclaringType!.Name, made.GetParameters().Count(one => !ofTheFramework.Contains(one.ParameterType.Name))))
            .Where(one => one.Item2 > MostDependencies && !one.Name.Contains('<', StringComparison.Ordinal));
        wrong.Should().BeEmpty();

        static bool IsOurs(System.Type type) => type.Namespace?.StartsWith(nameof(Gateway), StringComparison.Ordinal) == true;

        static bool IsRecord(System.Type type) => type.GetMethod("<Clone>$") is not null;
    }

    private static IEnumerable<(IType Type, string Folder, IType Target)> Dependencies() =>
        from type in _architecture.Types
        let folder = FolderOf(type)
        where folder is not null
        from dependency in type.Dependencies

            // A parameter of a generic method of the framework belongs to whichever type was read first.
        where dependency.Target is not GenericParameter
        select (type, folder, dependency.Target);

    /// <summary>The folder that a type of ours is in; null for all others.</summary>
    private static string? FolderOf(IType type) => type.Namespace?.FullName.Split('.') switch
    {
        ["Gateway"] => Root,
        ["Gateway", var folder, ..] => folder,
        _ => null,
    };

    private static IEnumerable<string> Sources() => Directory.EnumerateFiles(Folder(), "*.cs", SearchOption.AllDirectories)
        .Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal));

    private static string Folder([CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, ".."));
}
