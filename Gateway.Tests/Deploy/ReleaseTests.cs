using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Tests.Support;
using Release;

namespace Gateway.Tests.Deploy;

/// <summary>What releases are packed in: understood by the tools of others, and the same bits each time.</summary>
public sealed class ReleaseTests
{
    private static readonly DateTimeOffset _time = DateTimeOffset.FromUnixTimeSeconds(1_700_000_000);

    private static readonly Item[] _program = [new("gateway", "#!/bin/sh\n"u8.ToArray()) { IsProgram = true }];

    private static string Root => Path.GetDirectoryName(Front.Folder)!;

    [Fact]
    public async Task TarReadsTheArchive()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "a.tar.gz");
        await File.WriteAllBytesAsync(file, TarGz.Pack([new("x/b.txt", "b"u8.ToArray()), new("x/a", [1]) { IsProgram = true }], _time));

        var listing = await RunAsync("tar", "--utc", "-tvzf", file);
        listing.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(one => $"{one.Split(' ')[0]} {one.Split(' ')[^1]}").Should()
            .Equal(["drwxr-xr-x x/", "-rwxr-xr-x x/a", "-rw-r--r-- x/b.txt"]);
        listing.Split('\n', StringSplitOptions.RemoveEmptyEntries).Should().AllSatisfy(one => one.Should().Contain("2023-11-14 22:13"));
    }

    [Fact]
    public async Task DpkgReadsThePackage()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "headtower.deb");
        await File.WriteAllBytesAsync(
            file, DebianPackage.Pack("1.2.3", "arm64", _program, [new("README.md", "text"u8.ToArray())], Root, _time));

        var control = await RunAsync("dpkg-deb", "--info", file);
        control.Should().Contain(" Version: 1.2.3").And.Contain(" Architecture: arm64").And.NotContain("localhost");
        control.Should().NotContain("libsqlite3");
        var content = await RunAsync("dpkg-deb", "--contents", file);
        (new[] { "./usr/lib/headtower/gateway", "./usr/bin/gateway -> ../lib/headtower/gateway", "./lib/systemd/system/headtower.service",
            "./lib/systemd/system/headtower.socket", "./etc/headtower/headtower.yaml", "./usr/share/doc/headtower/README.md",
            "./usr/share/doc/headtower/copyright", "./usr/share/doc/headtower/changelog.gz" }).Should()
            .AllSatisfy(one => content.Should().Contain(one));
    }

    [Fact]
    public async Task TheCopyrightIsDebiansAndTheLicenceIsWhole()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "headtower.deb");
        await File.WriteAllBytesAsync(file, DebianPackage.Pack("1", "amd64", _program, [], Root, _time));
        await RunAsync("dpkg-deb", "--extract", file, Path.Combine(folder.Path, "out"));

        var text = await File.ReadAllTextAsync(Path.Combine(folder.Path, "out/usr/share/doc/headtower/copyright"));
        text.Should().StartWith("Format: https://www.debian.org/").And.Contain("\nLicense: MIT\n Permission is hereby granted").And
            .Contain("WITHOUT WARRANTY OF ANY KIND");
    }

    [Fact]
    public async Task TheBillNamesEveryPackageThatTheLockFileNames()
    {
        var lockFile = await File.ReadAllTextAsync(Path.Combine(Root, "Gateway", "packages.lock.json"));
        var bill = JsonNode.Parse(BillOfMaterials.Write("1.2.3", lockFile, _time))!;
        var locked = JsonNode.Parse(lockFile)!["dependencies"]!.AsObject().First().Value!.AsObject()
            .Select(one => $"pkg:nuget/{one.Key}@{one.Value!["resolved"]}");

        bill["components"]!.AsArray().Select(one => (string)one!["purl"]!).Order().Should().Equal(locked.Order());
        bill["components"]!.AsArray().Should().AllSatisfy(one => ((string)one!["hashes"]![0]!["content"]!).Length.Should().Be(128));
    }

    [Fact]
    public void TheSameInputGivesTheSameBits()
    {
        var document = new Item("README.md", Encoding.UTF8.GetBytes("text"));
        DebianPackage.Pack("1", "amd64", _program, [document], Root, _time).Should()
            .Equal(DebianPackage.Pack("1", "amd64", _program, [document], Root, _time));
    }

    private static async Task<string> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        var text = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        process.ExitCode.Should().Be(0);
        return text;
    }
}
