using System.Text;
using System.Text.Json.Nodes;

namespace Release;

/// <summary>What is in it (CycloneDX 1.6), from the lock file that the build was held to.</summary>
internal static class BillOfMaterials
{
    /// <param name="lockFile">The text of packages.lock.json.</param>
    public static byte[] Write(string version, string lockFile, DateTimeOffset time)
    {
        var packages = JsonNode.Parse(lockFile)!["dependencies"]!.AsObject()
            .First(one => !one.Key.Contains('/', StringComparison.Ordinal)).Value!.AsObject();
        var components = packages.OrderBy(one => one.Key, StringComparer.Ordinal).Select(one => (JsonNode)new JsonObject
        {
            ["type"] = "library",
            ["name"] = one.Key,
            ["version"] = (string?)one.Value!["resolved"],
            ["purl"] = PurlOf(one.Key, (string?)one.Value["resolved"]),
            ["bom-ref"] = PurlOf(one.Key, (string?)one.Value["resolved"]),
            ["hashes"] = new JsonArray(
                new JsonObject
                {
                    ["alg"] = "SHA-512",
                    ["content"] = Convert.ToHexStringLower(Convert.FromBase64String((string)one.Value["contentHash"]!))
                }),
        });
        var bill = new JsonObject
        {
            ["bomFormat"] = "CycloneDX",
            ["specVersion"] = "1.6",
            ["version"] = 1,
            ["metadata"] = new JsonObject
            {
                ["timestamp"] = time.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture),
                ["component"] = new JsonObject
                {
                    ["type"] = "application",
                    ["name"] = "headtower",
                    ["version"] = version,
                    ["bom-ref"] = "headtower",
                },
            },
            ["components"] = new JsonArray([.. components]),
            ["dependencies"] = new JsonArray(
            [
                new JsonObject
                {
                    ["ref"] = "headtower",
                    ["dependsOn"] = new JsonArray(
                        [.. packages.Where(one => (string?)one.Value!["type"] == "Direct")
                            .Select(one => (JsonNode)PurlOf(one.Key, (string?)one.Value!["resolved"]))]),
                },
                .. packages.Select(one => new JsonObject
                {
                    ["ref"] = PurlOf(one.Key, (string?)one.Value!["resolved"]),
                    ["dependsOn"] = new JsonArray(
                        [.. (one.Value["dependencies"]?.AsObject() ?? []).Where(other => packages.ContainsKey(other.Key))
                            .Select(other => (JsonNode)PurlOf(other.Key, (string?)packages[other.Key]!["resolved"]))]),
                }),
            ]),
        };
        return Encoding.UTF8.GetBytes(bill.ToJsonString(new() { WriteIndented = true }) + "\n");
    }

    private static string PurlOf(string name, string? version) => $"pkg:nuget/{name}@{version}";
}
