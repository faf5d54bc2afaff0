using System.Diagnostics;
using Gateway.Sandbox;
using Gateway.Tests.Support;

namespace Gateway.Tests;

/// <summary>The sandbox shows what it says it shows.</summary>
public sealed class SandboxTests
{
    [CurlTheory]
    [InlineData("0.26")]
    [InlineData("0.30")]
    public async Task EveryPrintedCommandShowsWhatItSaysAndCtrlCLeavesNothingBehind(string version)
    {
        using var sandbox = Start("--headscale-version", version);

        var (commands, provider, entry) = await ReadCommandsAsync(sandbox.StandardOutput);
        var rest = sandbox.StandardOutput.ReadToEndAsync();
        var folder = Path.GetDirectoryName(commands["audited"].Split(' ')[^1])!;
        var shown = new Dictionary<string, string>();
        foreach (var (what, command) in commands)
        {
            shown[what] = await RunAsync(command);
        }

        var me = await SignInAsync(provider, entry);
        ProcessSignal.Interrupt(sandbox);
        await sandbox.WaitForExitAsync();

        await rest;
        shown["allowed"].Should().Contain("\"db-1\"");
        shown["unfiltered"].Should().Contain("alice-laptop").And.MatchRegex("\"key\":\"[^\"]+\"", "Headscale itself shows the keys");
        shown["filtered"].Should().Contain("sam-laptop");
        shown["filtered"].Should().NotContain("alice-laptop");
        shown["filtered"].Should().Contain("\"preAuthKey\":null");
        shown["refused"].Should().Contain("your role viewer lacks write_machines");
        shown["own key"].Should().Contain("\"users\"");
        shown["audited"].Should().Contain("role_too_low");
        shown["ts2021"].Should().StartWith("HTTP/1.1 101 ");
        me.Should().Contain("\"headscaleUser\":{\"id\":\"31\",\"name\":\"pia\"}");
        sandbox.ExitCode.Should().Be(0);
        Directory.Exists(folder).Should().BeFalse();
    }

    [ChromiumFact]
    public async Task ABrowserPicksAPersonAtTheFrontAndSeesStyledPagesAndAliceOfTheProviderIsTheOwner()
    {
        using var sandbox = Start("--host", "localhost");
        var (_, _, entry) = await ReadCommandsAsync(sandbox.StandardOutput);
        var rest = sandbox.StandardOutput.ReadToEndAsync();
        await using var chromium = await Chromium.LaunchAsync();

        var provided = await (await chromium.Browser.NewContextAsync(new() { BaseURL = entry })).NewPageAsync();
        await provided.GotoAsync("/");
        await provided.GetByText("single sign-on").ClickAsync();
        await provided.GetByText("Alice Owner").ClickAsync();
        var owner = await provided.Locator("body").InnerTextAsync();

        var picked = await (await chromium.Browser.NewContextAsync(new() { BaseURL = entry })).NewPageAsync();
        var failures = new List<string>();
        picked.Response += (_, response) =>
        {
            if (response.Status >= 400)
            {
                failures.Add(response.Url);
            }
        };
        await picked.GotoAsync("/sandbox/people");
        await picked.GetByText("Vera Viewer").ClickAsync();

        entry.Should().StartWith("http://localhost:");
        owner.Should().Contain("owner");
        new Uri(picked.Url).AbsolutePath.Should().Be("/admin/");
        (await picked.Locator("body").InnerTextAsync()).Should().Contain("viewer");
        (await picked.EvaluateAsync<string>("getComputedStyle(document.querySelector('main')).fontFamily")).Should().Contain("system-ui");
        failures.Should().BeEmpty();
        ProcessSignal.Interrupt(sandbox);
        await sandbox.WaitForExitAsync();
        await rest;
        sandbox.ExitCode.Should().Be(0);
    }

    [Theory]
    [InlineData("", 29, 0, "127.0.0.1")]
    [InlineData("--port 8400", 29, 8400, "127.0.0.1")]
    [InlineData("--host vm.example.test --headscale-version 0.30 --port 1", 30, 1, "vm.example.test")]
    public void TheCommandLineIsUnderstood(string line, int version, int port, string host) =>
        SandboxOptions.Of(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Should().Be(new SandboxOptions(version, port, host));

    [Theory]
    [InlineData("--port")]
    [InlineData("--port 0")]
    [InlineData("--port 65533")]
    [InlineData("--port -1")]
    [InlineData("--host 0.0.0.0")]
    [InlineData("--host ::")]
    [InlineData("--host http://vm")]
    [InlineData("--headscale-version 0.25")]
    [InlineData("--help")]
    public void WhatIsNotUnderstoodIsRefused(string line) => SandboxOptions.Of(line.Split(' ')).Should().BeNull();

    private static Process Start(params string[] arguments)
    {
        var start = GatewayProcess.Command(arguments);
        start.ArgumentList[0] = Path.Combine(AppContext.BaseDirectory, "gateway-sandbox.dll");
        start.RedirectStandardOutput = true;
        return Process.Start(start)!;
    }

    private static async Task<(Dictionary<string, string> Commands, string Provider, string Entry)> ReadCommandsAsync(StreamReader output)
    {
        var (commands, provider, entry) = (new Dictionary<string, string>(), "", "");
        while (!commands.ContainsKey("ts2021"))
        {
            var line = await output.ReadLineAsync() ?? throw new InvalidOperationException("the sandbox ended");
            if (line.TrimStart().StartsWith("provider (OpenID Connect) ", StringComparison.Ordinal))
            {
                var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                (provider, entry) = (words[3], words[^1]);
            }
            else if (line.TrimStart().Split(": ", 2) is [var what, var command]
                && (command.TrimStart().StartsWith("curl ", StringComparison.Ordinal) || command.TrimStart()
                    .StartsWith("dotnet ", StringComparison.Ordinal)))
            {
                commands[what] = command.Trim();
            }
        }

        return (commands, provider, entry);
    }

    /// <summary>Opens the printed address, presses the button, picks Pia, and asks who that is.</summary>
    private static async Task<string> SignInAsync(string provider, string entry)
    {
        using var http = new HttpClient();
        var picker = await http.GetAsync(new Uri(new Uri(entry), "/admin/oidc/start"));
        var address = picker.RequestMessage!.RequestUri!;
        address.AbsoluteUri.Should().StartWith(provider);
        (await picker.Content.ReadAsStringAsync()).Should().Contain("Who are you?");
        (await http.GetStringAsync(new Uri(address.AbsoluteUri.Replace("/authorize?", "/as/pia?", StringComparison.Ordinal)))).Should()
            .Contain("Overview");
        (await http.GetStringAsync(new Uri(new Uri(entry), "/admin/style.css"))).Should()
            .Contain("{", "paths with a dot go through the front, too");
        return await http.GetStringAsync(new Uri(new Uri(entry), "/admin/api/me"));
    }

    private static async Task<string> RunAsync(string command)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", command]) { RedirectStandardOutput = true };
        using var shell = Process.Start(start)!;
        var text = await shell.StandardOutput.ReadToEndAsync();
        await shell.WaitForExitAsync();
        return text;
    }
}
