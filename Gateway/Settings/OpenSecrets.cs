namespace Gateway.Settings;

/// <summary>Secrets that stand in a configuration which others on the machine may read.</summary>
internal static class OpenSecrets
{
    private const UnixFileMode Others = UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    /// <summary>Where each of them stands; none where the file is closed to others.</summary>
    public static IReadOnlyList<string> Find(string file)
    {
        if (OperatingSystem.IsWindows() || !File.Exists(file) || (File.GetUnixFileMode(file) & Others) == UnixFileMode.None)
        {
            return [];
        }

        var tree = YamlTree.Parse(File.ReadAllText(file), file, new Problems());
        return [.. SettingDeclarations.All.Where(one => one.HasFile && one.Key != "store.connection").Append(Connection(tree))
            .OfType<SettingDeclaration>()
            .Select(one => (one.Key, Value: Find(tree, one.Key.Split('.'))))
            .Where(one => one.Value is { Text.Length: > 0, FromEnvironment: false })
            .Select(one => $"{one.Value!.Where}: {one.Key}")];
    }

    /// <summary>A secret only where it is not the name of a file.</summary>
    private static SettingDeclaration? Connection(YamlValue.Mapping tree) =>
        Find(tree, ["store", "kind"]) is { Text: "postgres" } ? SettingDeclarations.All.First(one => one.Key == "store.connection") : null;

    private static YamlValue.Scalar? Find(YamlValue.Mapping tree, ReadOnlySpan<string> path)
    {
        var here = tree;
        foreach (var name in path[..^1])
        {
            if (here.Members.TryGetValue(name, out var section) && section is YamlValue.Mapping inner)
            {
                here = inner;
            }
            else
            {
                return null;
            }
        }

        return here.Members.TryGetValue(path[^1], out var value) ? value as YamlValue.Scalar : null;
    }
}
