using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Gateway.Tests;

/// <summary>What the code base promises about itself.</summary>
public sealed partial class LayoutTests
{
    /// <summary>A folder uses what stands to its right. Files at the root put everything together.</summary>
    private static readonly string[] _order = ["Cli", "Store", "Web", "Forwarding", "Authorization", "Users", "Audit", "Identity", "Headscale", "Edge", "Policy", "Documents", "Settings"];

    public static TheoryData<string> Folders => [.. _order];

    [Theory]
    [MemberData(nameof(Folders))]
    public void AFolderUsesOnlyFoldersToItsRight(string folder)
    {
        var wrong =
            from file in Directory.EnumerateFiles(Path.Combine(Root(), "Gateway", folder), "*.cs", SearchOption.AllDirectories)
            from Match match in OwnNamespace().Matches(File.ReadAllText(file))
            let target = match.Groups[1].Value
            where _order.Contains(target) && Array.IndexOf(_order, target) < Array.IndexOf(_order, folder)
            select $"{Path.GetFileName(file)} uses {target}";
        wrong.Should().BeEmpty();
    }

    [Fact]
    public void EveryFolderHasItsPlaceInTheOrder() => Directory.EnumerateDirectories(Path.Combine(Root(), "Gateway")).Select(Path.GetFileName).Except([.. _order, "bin", "obj"]).Should().BeEmpty();

    [Fact]
    public void ThePolicyKnowsNoHttp() => Directory.EnumerateFiles(Path.Combine(Root(), "Gateway", "Policy")).Should().NotContain(file => File.ReadAllText(file).Contains("HttpContext", StringComparison.Ordinal));

    [Fact]
    public void NoFileOutgrewItsReader() => Sources().Select(file => (Path.GetFileName(file), Lines: File.ReadLines(file).Count())).Where(one => one.Lines > 300).Should().BeEmpty();

    [Fact]
    public void OnlyTheStoreSpeaksSql() => Sources().Where(file => file.Contains("/Gateway/", StringComparison.Ordinal) && !file.Contains("/Store/", StringComparison.Ordinal)).Should().NotContain(file => File.ReadAllText(file).Contains("using " + "Dapper", StringComparison.Ordinal));

    private static IEnumerable<string> Sources() => Directory.EnumerateFiles(Root(), "*.cs", SearchOption.AllDirectories)
        .Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal));

    [GeneratedRegex(@"\bGateway\.([A-Z]\w+)")]
    private static partial Regex OwnNamespace();

    private static string Root([CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, ".."));
}
