using System.Collections.Frozen;
using Gateway.Headscale;
using Gateway.Loading;
using Gateway.Policy;
using Gateway.Settings;

namespace Gateway.Tests.Support;

/// <summary>Ready-made things for tests.</summary>
internal static class Some
{
    public static IReadOnlyDictionary<string, string> NoEnvironment { get; } = FrozenDictionary<string, string>.Empty;

    /// <summary>The policy that is shipped.</summary>
    public static RouteTable Table { get; } = ReadTable(RouteFile.Shipped());

    public static RouteTable ReadTable(string yaml)
    {
        var problems = new Problems();
        var table = RouteFile.Parse(yaml, "routes.yaml", Bodies.Names, problems);
        problems.Errors.Should().BeEmpty();
        return table!;
    }

    public static SettingsResult Settings(string yaml, params (string Name, string Value)[] environment) =>
        SettingsFile.Parse(yaml, "headtower.yaml", environment.ToDictionary(one => one.Name, one => one.Value));

    /// <summary>A folder that is gone when the test is.</summary>
    public static TemporaryFolder Folder() => new();
}

/// <summary>A folder of the test's own.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("gateway-test-").FullName;

    public string File(string name, string text)
    {
        var file = System.IO.Path.Combine(Path, name);
        System.IO.File.WriteAllText(file, text);
        return file;
    }

    /// <summary>For programs that give up being root, and then need what root wrote.</summary>
    public void OpenToEverybody()
    {
        using var open = System.Diagnostics.Process.Start("chmod", ["-R", "a+rwX", Path]);
        open.WaitForExit();
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
