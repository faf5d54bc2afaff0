using System.Collections;
using System.Collections.Frozen;
using Gateway.Headscale;
using Gateway.Policy;
using Gateway.Settings;

namespace Gateway.Loading;

/// <summary>Where the configuration comes from, and how it is read: both files, the environment and the secret files.</summary>
/// <param name="Config">The file with the settings.</param>
/// <param name="Routes">The file with the policy; null for the shipped one.</param>
/// <param name="Environment">The environment at start.</param>
internal sealed record ConfigurationFiles(string Config, string? Routes, IReadOnlyDictionary<string, string> Environment)
{
    /// <summary>Null when there is no configuration anywhere; then <paramref name="complaint"/> says where it was looked for.</summary>
    public static ConfigurationFiles? Find(string? config, string? routes, out string complaint)
    {
        var environment = System.Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .ToFrozenDictionary(one => (string)one.Key, one => (string?)one.Value ?? "", StringComparer.Ordinal);
        complaint = "no configuration was found; write ./headtower.yaml or /etc/headtower/headtower.yaml, or name one with --config or "
            + "HEADTOWER_CONFIG. 'gateway init' writes one.";
        return SettingsFile.Find(config, environment) is { } file
            ? new ConfigurationFiles(file, RouteFile.Find(routes, file, environment), environment)
            : null;
    }

    /// <summary>Reads everything; the configuration is null when anything is wrong.</summary>
    public (Configuration? Configuration, Problems Problems, IReadOnlyList<string> Files) Load()
    {
        var read = SettingsFile.Load(Config, Environment, ApiKeyFormat.Complaint);
        var (settings, problems, files) = read;
        var table = LoadTable(problems);
        if (read.Draft is not null && table is not null)
        {
            Configuration.Check(read.Draft, table, read.PlaceOf, problems);
        }

        var configuration = settings is not null && table is not null && problems.Errors.Count == 0
            ? new Configuration(settings, table)
            : null;
        return (configuration, problems, Routes is null ? files : [.. files, Routes]);
    }

    /// <summary>The shipped policy with the settings' defaults, for what needs neither Headscale nor people.</summary>
    public static Configuration Shipped()
    {
        var files = new ConfigurationFiles("(none)", null, FrozenDictionary<string, string>.Empty);
        var problems = new Problems();
        return new(
            SettingsFile.Parse("headscale: {url: 'http://127.0.0.1:8080'}", files.Config, files.Environment).Settings!,
            files.LoadTable(problems)!);
    }

    private RouteTable? LoadTable(Problems problems)
    {
        try
        {
            return RouteFile.Parse(
                Routes is null ? RouteFile.Shipped() : File.ReadAllText(Routes), Routes ?? $"(shipped) {RouteFile.FileName}", Bodies.Names,
                problems);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problems.Add(Routes!, $"cannot be read: {e.Message}");
            return null;
        }
    }
}
