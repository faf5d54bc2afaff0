using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;

namespace Release;

/// <summary>
/// Everything that is published, in one go and the same bits each time: <c>dotnet run --project deploy/release -- 1.2.3</c>.
/// Times in archives are that of the commit (SOURCE_DATE_EPOCH).
/// </summary>
internal static class Program
{
    private static readonly string[] _documents = ["README.md", "LICENSE", "CHANGELOG.md", "SECURITY.md", "headtower.yaml", "routes.yaml"];

    /// <summary>Where it runs without .NET, and Debian's name of it where that has a package.</summary>
    private static readonly (string Platform, string? Architecture)[] _platforms =
        [("linux-x64", "amd64"), ("linux-arm64", "arm64"), ("linux-musl-x64", null)];

    private static readonly string _root = Path.GetFullPath(Path.Combine(Here(), "..", ".."));

    private static async Task<int> Main(string[] args)
    {
        if (args is not [var version, ..] || !version.All(one => char.IsAsciiLetterOrDigit(one) || one is '.' or '-' or '~'))
        {
            await Console.Error.WriteLineAsync("usage: dotnet run --project deploy/release -- VERSION [FOLDER]");
            return 2;
        }

        var output = Path.GetFullPath(args.Length > 1 ? args[1] : Path.Combine(_root, "artifacts"));
        var time = await TimeOfCommitAsync();
        if (Directory.Exists(output))
        {
            Directory.Delete(output, recursive: true);
        }

        Directory.CreateDirectory(output);
        var portable = Path.Combine(output, "build", "portable");
        await PublishAsync(version, portable, "-p:UseAppHost=false");

        Item[] documents =
        [
            .. _documents.Select(one => Item.OfFile(one, Path.Combine(_root, one))), .. Folder("docs"),
            .. Folder("deploy").Where(one => !one.Name.StartsWith("deploy/release/", StringComparison.Ordinal)),
        ];
        var name = $"headtower-{version}";
        await WriteAsync(output, $"{name}-portable.tar.gz", TarGz.Pack([.. Under($"{name}/", [.. Built(portable), .. documents])], time));
        foreach (var (platform, architecture) in _platforms)
        {
            var single = Path.Combine(output, "build", platform);
            // Packing one file needs a package of the SDK's own, which is not one of ours: the lock file stays as it is.
            var locked = Path.Combine(output, "build", $"{platform}.lock.json");
            File.Copy(Path.Combine(_root, "Gateway", "packages.lock.json"), locked);
            await PublishAsync(
                version, single, "-r", platform, "--self-contained", "-p:PublishSingleFile=true", $"-p:NuGetLockFilePath={locked}");
            await WriteAsync(
                output, $"{name}-{platform}.tar.gz", TarGz.Pack([.. Under($"{name}/", [.. Built(single), .. documents])], time));
            if (architecture is not null)
            {
                await WriteAsync(
                    output, $"headtower_{version}_{architecture}.deb",
                    DebianPackage.Pack(version, architecture, [.. Built(single)], [.. documents], _root, time));
            }
        }

        await WriteAsync(
            output, $"{name}.cdx.json",
            BillOfMaterials.Write(version, await File.ReadAllTextAsync(Path.Combine(_root, "Gateway", "packages.lock.json")), time));
        Directory.Delete(Path.Combine(output, "build"), recursive: true);
        var sums = Directory.GetFiles(output).Order(StringComparer.Ordinal)
            .Select(one => $"{Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(one)))}  {Path.GetFileName(one)}\n");
        await File.WriteAllTextAsync(Path.Combine(output, "SHA256SUMS"), string.Concat(sums));
        Console.Write(await File.ReadAllTextAsync(Path.Combine(output, "SHA256SUMS")));
        return 0;
    }

    private static Task<string> PublishAsync(string version, string folder, params string[] more) => RunAsync(
        "dotnet", ["publish", Path.Combine(_root, "Gateway"), "-c", "Release", "--nologo", "-v", "q", "-o", folder,
            $"-p:Version={version}", "-p:ContinuousIntegrationBuild=true", $"-p:PathMap={_root}=/headtower", "-p:DebugType=none", .. more]);

    private static IEnumerable<Item> Built(string folder) => Directory.GetFiles(folder, "*", SearchOption.AllDirectories)
        .Where(
            one => Path.GetExtension(one) is not (".pdb" or ".xml")
                && !one.EndsWith(".staticwebassets.endpoints.json", StringComparison.Ordinal))
        .Select(one => Item.OfFile(Path.GetRelativePath(folder, one), one) with { IsProgram = Path.GetFileName(one) == "gateway" });

    private static IEnumerable<Item> Folder(string name) => Directory.GetFiles(Path.Combine(_root, name), "*", SearchOption.AllDirectories)
        .Where(one => !one.Contains("/obj/", StringComparison.Ordinal) && !one.Contains("/bin/", StringComparison.Ordinal))
        .Select(one => Item.OfFile(Path.GetRelativePath(_root, one), one));

    private static IEnumerable<Item> Under(string folder, IEnumerable<Item> items) =>
        items.Select(one => one with { Name = folder + one.Name });

    private static Task WriteAsync(string folder, string name, byte[] bytes) => File.WriteAllBytesAsync(Path.Combine(folder, name), bytes);

    private static async Task<DateTimeOffset> TimeOfCommitAsync()
    {
        var seconds = Environment.GetEnvironmentVariable(
            "SOURCE_DATE_EPOCH") ?? (await RunAsync("git", ["-C", _root, "log", "-1", "--format=%ct"]))
            .Trim();
        return DateTimeOffset.FromUnixTimeSeconds(long.Parse(seconds, CultureInfo.InvariantCulture));
    }

    private static async Task<string> RunAsync(string program, string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        var text = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? text : throw new InvalidOperationException($"{program} failed:\n{text}");
    }

    private static string Here([CallerFilePath] string here = "") => Path.GetDirectoryName(here)!;
}
