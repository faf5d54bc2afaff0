using Dapper;
using Gateway.Identity;
using Gateway.Settings;
using Gateway.Store;
using Gateway.Tests.Support;
using Gateway.Users;
using Microsoft.Data.Sqlite;

namespace Gateway.Tests.Store;

/// <summary>Files that are not what they should be are refused in words, and stay as they are.</summary>
public sealed class SqliteFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string File => Path.Combine(_folder.Path, "headtower.db");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void AFileThatIsNoDatabaseIsNotTouched()
    {
        _folder.File("headtower.db", new string('x', 8192));

        FluentActions.Invoking(() => SqliteFile.Open(File)).Should().ThrowExactly<StoreException>().Which.Message.Should().Contain("restore");
        System.IO.File.ReadAllText(File).Should().Be(new string('x', 8192));
    }

    [Fact]
    public void ADamagedDatabaseIsRefusedWithTheWayOut()
    {
        Fill();
        var bytes = System.IO.File.ReadAllBytes(File);
        for (var at = 4096; at < bytes.Length; at += 4096)
        {
            bytes.AsSpan(at, 512).Fill(0xAA);
        }

        System.IO.File.WriteAllBytes(File, bytes);

        FluentActions.Invoking(() => SqliteFile.Open(File)).Should().ThrowExactly<StoreException>().Which.Message.Should().Contain("gateway restore");
    }

    [Fact]
    public void AStoreOfANewerGatewayIsRefused()
    {
        Fill();
        Execute(File, "pragma user_version = 999");

        FluentActions.Invoking(() => SqliteFile.Open(File)).Should().ThrowExactly<StoreException>().Which.Message.Should().Contain("newer gateway");
        FluentActions.Invoking(() => SqliteFile.Inspect(File)).Should().ThrowExactly<StoreException>().Which.Message.Should().Contain("newer gateway");
    }

    [Fact]
    public void ADatabaseOfAnotherProgramIsRefused()
    {
        Execute(File, "create table theirs (x)");

        FluentActions.Invoking(() => SqliteFile.Open(File)).Should().ThrowExactly<StoreException>().Which.Message.Should().Contain("some other program");
    }

    [Fact]
    public void AFolderThatCannotBeMadeIsNamed()
    {
        _folder.File("plain", "");

        FluentActions.Invoking(() => SqliteFile.Open(Path.Combine(_folder.Path, "plain", "headtower.db"))).Should().ThrowExactly<StoreException>().Which.Message.Should().Contain("server.data_path");
    }

    [Fact]
    public void AnEmptyFileBecomesAStore()
    {
        _folder.File("headtower.db", "");
        Fill();
        SqliteFile.Inspect(File).Should().BeTrue();
    }

    [Fact]
    public void WhatIsInspectedIsNotMade()
    {
        SqliteFile.Inspect(File).Should().BeFalse();
        System.IO.File.Exists(File).Should().BeFalse();
    }

    [Fact]
    public async Task OfManyWhoOpenANewStoreAtOnceOneMigratesAndAllGetIt()
    {
        var opened = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(() => SqliteFile.Open(File).Path)));
        opened.Length.Should().Be(16);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ABackupBringsEveryoneBackAlsoWhenTheStoreIsDamaged(bool damaged)
    {
        Fill();
        var backup = Path.Combine(_folder.Path, "backup.db");
        SqliteFile.Open(File).BackupTo(backup);
        People().Remove(1);
        SqliteConnection.ClearAllPools();
        if (damaged)
        {
            System.IO.File.WriteAllText(File, "no database at all");
        }

        var (aside, wasDamaged) = SqliteFile.Restore(File, backup, TimeProvider.System);

        wasDamaged.Should().Be(damaged);
        People().List().People.Should().ContainSingle().Subject.Subject.Should().Be("ann");
        System.IO.File.Exists(aside).Should().BeTrue();
        if (!OperatingSystem.IsWindows())
        {
            System.IO.File.GetUnixFileMode(backup).Should().Be(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
    }

    [Theory]
    [InlineData("not a database")]
    [InlineData(null)]
    public void WhatIsNoBackupIsNotRestored(string? content)
    {
        Fill();
        var backup = content is null ? Path.Combine(_folder.Path, "foreign.db") : _folder.File("backup.db", content);
        if (content is null)
        {
            Execute(backup, "create table theirs (x)");
        }

        FluentActions.Invoking(() => SqliteFile.Restore(File, backup, TimeProvider.System)).Should().ThrowExactly<StoreException>();
        People().List().People.Should().ContainSingle().Subject.Subject.Should().Be("ann");
    }

    private SqlitePersonStore People() => new(SqliteFile.Open(File), TimeProvider.System);

    private void Fill()
    {
        People().Admit(new NewPerson(Source.Proxy, "", "ann", null, null, null, "viewer"), OwnerRule.Never);
        SqliteConnection.ClearAllPools();
    }

    private static void Execute(string file, string sql)
    {
        using var connection = new SqliteConnection($"Data Source={file};Pooling=False");
        connection.Execute(sql);
    }
}
