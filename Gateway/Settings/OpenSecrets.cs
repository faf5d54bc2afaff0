namespace Gateway.Settings;

/// <summary>Secrets that stand in a configuration which others on the machine may read.</summary>
internal static class OpenSecrets
{
    private const UnixFileMode Others = UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    /// <summary>Where each of them stands; none where the file is closed to others.</summary>
    public static IReadOnlyList<string> Find(string file)
    {
        if (!IsOpen(file))
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

    /// <summary>The files of secrets that others may read, with the places that name them. In a container there are no others.</summary>
    public static IReadOnlyList<(string Place, string File)> FindFiles(string config, IReadOnlyDictionary<string, string> environment)
    {
        if (environment.GetValueOrDefault("DOTNET_RUNNING_IN_CONTAINER") is "true" || !File.Exists(config))
        {
            return [];
        }

        var tree = YamlTree.Parse(File.ReadAllText(config), config, new Problems());
        return [.. SettingDeclarations.All.Where(one => one.HasFile).Select(one => $"{one.Key}_path")
            .Append("server.tls_key_path").Append("oidc.client_key_path").Distinct(StringComparer.Ordinal)
            .Select(key => (key, Value: Find(tree, key.Split('.'))))
            .Where(one => one.Value is { Text.Length: > 0 })
            .Select(one => ($"{one.Value!.Where}: {one.key}", SecretFiles.Expand(one.Value.Text!, environment)))
            .Where(one => IsOpen(one.Item2))];
    }

    private static bool IsOpen(string file) =>
        !OperatingSystem.IsWindows() && File.Exists(file) && (File.GetUnixFileMode(file) & Others) != UnixFileMode.None;

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
